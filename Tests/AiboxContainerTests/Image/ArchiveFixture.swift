import AiboxSystem
import Glibc

@testable import AiboxContainer

/// Tar archives for tests.
enum ArchiveFixture {
    static func write(_ entries: [(TarEntry, [UInt8])], to path: String) throws -> (path: String, result: LayerArchive)
    {
        let file = Descriptor(open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600))
        let writer = try TarWriter(file, name: path)
        for (entry, content) in entries { try writer.add(entry, content) }
        return (path, try writer.finish())
    }

    static func read(_ path: String) throws -> [(entry: TarEntry, content: [UInt8])] {
        let reader = TarReader(Descriptor(open(path, O_RDONLY | O_CLOEXEC)))
        var result: [(entry: TarEntry, content: [UInt8])] = []
        while let entry = try reader.next() { result.append((entry, try reader.readContent())) }
        return result
    }

    static func file(_ path: String, mode: UInt32 = 0o644, modified: Int = 1_600_000_000) -> TarEntry {
        TarEntry(path: path, kind: .file, mode: mode, uid: 0, gid: 0, size: 0, modified: modified)
    }

    static func folder(_ path: String) -> TarEntry {
        TarEntry(path: path, kind: .folder, mode: 0o755, uid: 0, gid: 0, size: 0, modified: 1_600_000_000)
    }

    static let dpkgStatus = """
        Package: dpkg
        Status: install ok installed
        Architecture: amd64
        Version: 1.21.22

        Package: bash
        Status: install ok installed
        Architecture: amd64
        Version: 5.2.15-2+b7
        Description: shell
         with a line: that looks like a field

        Package: gone
        Status: deinstall ok config-files
        Architecture: amd64
        Version: 1

        Package: libc6
        Status: install ok installed
        Architecture: i386
        Version: 2.36

        """

    /// A small system as an installation would leave it, with everything that must not get into an image.
    static var system: [(TarEntry, [UInt8])] {
        func text(_ text: String) -> [UInt8] { Array(text.utf8) }
        return [
            (folder(""), []), (folder("etc"), []),
            (
                file("etc/passwd"),
                text("root:x:0:0:root:/root:/bin/bash\nsshd:x:101:65534::/run/sshd:/usr/sbin/nologin\n")
            ),
            (file("etc/group"), text("root:x:0:\n")),
            (file("etc/shadow", mode: 0o640), text("root:*:19000:0:99999:7:::\n")),
            (file("etc/gshadow", mode: 0o640), text("root:*::\n")), (file("etc/passwd-"), text("old")),
            (folder("etc/skel"), []), (file("etc/skel/.bashrc"), text("# bashrc\n")),
            (folder("etc/ssh"), []), (file("etc/ssh/ssh_host_ed25519_key", mode: 0o600), text("SECRET")),
            (file("etc/machine-id"), text("0123\n")),
            (file("etc/apt/sources.list"), text("deb http://mirror/ x main\n")),
            (folder("usr"), []), (folder("usr/bin"), []), (file("usr/bin/su", mode: 0o4755), text("su")),
            (file("usr/bin/wall", mode: 0o2755), text("wall")),
            (
                TarEntry(
                    path: "usr/bin/su2", kind: .hardLink(target: "usr/bin/su"), mode: 0o4755, uid: 0, gid: 0, size: 0,
                    modified: 0), []
            ),
            (file("usr/bin/x86_64-linux-gnu-lto-dump-12", mode: 0o755), text("big")),
            (
                TarEntry(
                    path: "bin", kind: .symbolicLink(target: "usr/bin"), mode: 0o777, uid: 0, gid: 0, size: 0,
                    modified: 0), []
            ),
            (file("usr/share/doc/bash/copyright"), text("GPL")), (file("usr/share/doc/bash/README"), text("read")),
            (file("usr/share/man/man1/bash.1.gz"), text("man")), (folder("var/log"), []),
            (file("var/log/dpkg.log"), text("log")), (folder("var/cache/ldconfig"), []),
            (file("var/cache/ldconfig/aux-cache"), text("cache")), (folder("tmp"), []),
            (file("tmp/left"), text("left")),
            (file("var/lib/dpkg/status"), text(dpkgStatus)), (file("var/lib/dpkg/status-old"), text("old")),
            (file("usr/lib/new", modified: 2_000_000_000), text("new")),
        ]
    }
}
