import AiboxCrypto
import AiboxSystem
import AiboxTestSupport
import Glibc
import Testing

@testable import AiboxContainer

@Suite("What goes into an image's layer")
struct RootfsTests {
    private static let epoch = 1_700_000_000

    private static var recipe: ImageRecipe {
        ImageRecipe(
            name: "test", version: 1, description: "a test", packages: ["bash"], omitted: ["usr/bin/*-lto-dump-*"],
            folders: ["/workspace", "/home/dev/.cache/pip"],
            links: ["/home/dev/.m2/repository": "/home/dev/.cache/maven"],
            environment: ["LANG": "C.UTF-8", "HOME": "/home/dev"],
            overlay: [
                "etc/aibox/conf": Array("x".utf8), "home/dev/.zshrc": Array("z".utf8),
                "usr/local/bin/tool": Array("#!/bin/sh\n".utf8), "etc/skel/.bashrc": Array("# ours\n".utf8),
            ])
    }

    private func layer(_ entries: [(TarEntry, [UInt8])], _ recipe: ImageRecipe = RootfsTests.recipe) throws -> (
        entries: [(entry: TarEntry, content: [UInt8])], content: RootfsLayer.Content, archive: LayerArchive
    ) {
        let folder = try TemporaryFolder()
        let input = try ArchiveFixture.write(entries, to: folder.path + "/in.tar")
        let output = folder.path + "/out.tar"
        let writer = try TarWriter(Descriptor(open(output, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)), name: output)
        let content = try RootfsLayer(recipe: recipe, epoch: Self.epoch).write(
            from: TarReader(Descriptor(open(input.path, O_RDONLY | O_CLOEXEC))), to: writer)
        let archive = try writer.finish()
        return (try ArchiveFixture.read(output), content, archive)
    }

    @Test("no setuid or setgid bit, no device, no attribute, nothing younger than the epoch")
    func privileges() throws {
        var system = ArchiveFixture.system
        system.append((ArchiveFixture.file("usr/bin/ping", mode: 0o755), []))
        let result = try layer(system).entries
        #expect(result.allSatisfy { $0.entry.mode & 0o6000 == 0 && !$0.entry.hasAttributes })
        #expect(result.allSatisfy { $0.entry.modified <= Self.epoch })
        #expect(result.first { $0.entry.path == "usr/bin/su" }?.entry.mode == 0o755)
        #expect(result.first { $0.entry.path == "usr/bin/su2" }?.entry.mode == 0o755)
        #expect(result.first { $0.entry.path == "tmp" } != nil)
    }

    @Test(
        "what describes the build or the machine stays out",
        arguments: [
            "etc/ssh/ssh_host_ed25519_key", "etc/machine-id", "etc/apt/sources.list", "etc/passwd-", "var/log/dpkg.log",
            "var/cache/ldconfig/aux-cache", "tmp/left", "var/lib/dpkg/status-old", "usr/share/doc/bash/README",
            "usr/share/man/man1/bash.1.gz", "usr/bin/x86_64-linux-gnu-lto-dump-12",
        ])
    func leftOut(_ path: String) throws {
        #expect(ArchiveFixture.system.contains { $0.0.path == path }, "the fixture has it")
        #expect(!(try layer(ArchiveFixture.system).entries.contains { $0.entry.path == path }))
    }

    @Test(
        "a path is left out or kept",
        arguments: [
            ("dev/null", true), ("dev", false), ("run/lock", true), ("proc/1", true), ("boot/vmlinuz", true),
            ("usr/share/doc/git/copyright", false), ("usr/share/doc/git", false), ("usr/share/doc/git/contrib/x", true),
            ("usr/share/doc/git/contrib/copyright", true), ("etc/hosts", true), ("etc/host.conf", false),
            ("usr/share/locale/de/LC_MESSAGES/git.mo", true), ("usr/share/locale/locale.alias", false),
            ("etc/apt/apt.conf.d/99mmdebstrap", true), ("etc/apt/apt.conf.d/70debconf", false),
            ("var/lib/apt/lists/x", true), ("var/lib/dpkg/info/git.list", false), ("var/logrotate", false),
            ("etc/ssh/ssh_config", false), ("etc/ssh/ssh_host_rsa_key.pub", true), ("home/dev/tmp/x", false),
        ])
    func rules(_ path: String, _ isLeftOut: Bool) {
        #expect(RootfsRules(epoch: 0, omitted: []).leavesOut(path) == isLeftOut)
    }

    @Test("the user has an account without a password, a home of its own and the folders asked for")
    func user() throws {
        let result = try layer(ArchiveFixture.system).entries
        func text(_ path: String) -> String {
            String(decoding: result.first { $0.entry.path == path }?.content ?? [], as: UTF8.self)
        }
        #expect(text("etc/passwd").hasSuffix("\ndev:x:1000:1000:aibox:/home/dev:/bin/bash\n"))
        #expect(text("etc/shadow").contains("\ndev:*:"))
        #expect(text("etc/group").hasSuffix("\ndev:x:1000:\n"))
        #expect(text("home/dev/.bashrc") == "# ours\n")
        for path in ["home/dev", "home/dev/.cache", "home/dev/.cache/pip", "home/dev/.zshrc", "workspace"] {
            #expect(result.first { $0.entry.path == path }?.entry.uid == 1000, "\(path)")
        }
        for path in ["etc/aibox", "etc/aibox/conf", "home", "usr/local/bin/tool"] {
            #expect(result.first { $0.entry.path == path }?.entry.uid == 0, "\(path)")
        }
        #expect(result.first { $0.entry.path == "usr/local/bin/tool" }?.entry.mode == 0o755)
        let link = result.first { $0.entry.path == "home/dev/.m2/repository" }?.entry
        #expect(link?.kind == .symbolicLink(target: "/home/dev/.cache/maven") && link?.uid == 1000)
        #expect(text("etc/aibox/environment.conf") == "SetEnv LANG=C.UTF-8\n")
    }

    @Test("no path comes twice, and no file before its folder")
    func order() throws {
        let paths = try layer(ArchiveFixture.system).entries.map(\.entry.path)
        #expect(Set(paths).count == paths.count)
        for (index, path) in paths.enumerated() where path.hasPrefix("home/") || path.hasPrefix("etc/aibox/") {
            #expect(paths[..<index].contains(Path.parent(path)), "\(path)")
        }
    }

    @Test("the packages are those of dpkg's database, without what was removed")
    func packages() throws {
        let versions = try layer(ArchiveFixture.system).content.versions
        #expect(versions == ["dpkg": "1.21.22", "bash": "5.2.15-2+b7", "libc6:i386": "2.36"])
        #expect(DpkgStatus.manifest(versions) == "bash 5.2.15-2+b7\ndpkg 1.21.22\nlibc6:i386 2.36\n")
    }

    @Test("two installations that differ in times, logs and keys give the same bytes")
    func deterministic() throws {
        let first = try layer(ArchiveFixture.system).archive
        let second = try layer(
            ArchiveFixture.system.map { entry, content in
                var entry = entry
                if entry.modified == 2_000_000_000 { entry.modified = 2_100_000_000 }
                let differs = ["SECRET", "log", "cache", "0123\n", "left"].contains(
                    String(decoding: content, as: UTF8.self))
                return (entry, differs ? content + [0x21] : content)
            }
        ).archive
        #expect(first == second)
    }

    @Test("what cannot be built is refused")
    func refused() throws {
        var taken = ArchiveFixture.system
        taken[2].1 += Array("ubuntu:x:1000:1000::/home/ubuntu:/bin/bash\n".utf8)
        #expect(throws: AiboxError.self) { try layer(taken) }
        #expect(throws: AiboxError.self, "nothing installed") {
            try layer(ArchiveFixture.system.filter { $0.0.path != "var/lib/dpkg/status" })
        }
        var linked = Self.recipe
        linked.omitted = ["usr/bin/su"]
        #expect(throws: AiboxError.self, "another name of what is left out") {
            try layer(ArchiveFixture.system, linked)
        }
        var through = Self.recipe
        through.overlay["bin/tool"] = [1]
        let error = #expect(throws: AiboxError.self) { try layer(ArchiveFixture.system, through) }
        #expect(error?.why?.contains("/bin is a symbolic link") == true)
    }

    @Test("Java's list of certificates is the same whenever and in whichever order it was made")
    func keystore() throws {
        func number(_ value: Int, _ count: Int) -> [UInt8] {
            (0..<count).reversed().map { UInt8(value >> (8 * $0) & 255) }
        }
        func store(_ aliases: [String], _ moment: Int, tag: Int = 2) throws -> [UInt8] {
            var bytes = number(0xfeed_feed, 4) + number(2, 4) + number(aliases.count, 4)
            for alias in aliases {
                bytes += number(tag, 4) + number(alias.utf8.count, 2) + Array(alias.utf8) + number(moment, 8)
                bytes += number(5, 2) + Array("X.509".utf8) + number(3, 4) + Array(alias.utf8.prefix(3))
            }
            let phrase = Array("changeit".utf16.flatMap { number(Int($0), 2) }) + Array("Mighty Aphrodite".utf8)
            return bytes + (try SHA1.checksum(phrase + bytes))
        }
        let first = try JavaKeystore.normalised(try store(["debian:b", "debian:a"], 1_700_000_000_123), seconds: 5)
        let second = try JavaKeystore.normalised(try store(["debian:a", "debian:b"], 1_800_000_000_456), seconds: 5)
        #expect(first == second)
        #expect(first == (try store(["debian:a", "debian:b"], 5000)))
        // What is something else stays as it is.
        var broken = try store(["debian:a"], 1)
        broken[30] ^= 1
        let foreign = [
            broken, try store(["key"], 1, tag: 1), [], Array("PKCS12, perhaps".utf8), Array(first.dropLast()),
        ]
        for bytes in foreign { #expect(try JavaKeystore.normalised(bytes, seconds: 5) == bytes) }
        // One that is made of PEM files is one of these.
        let pem = "# a comment\n-----BEGIN CERTIFICATE-----\nAQID\n-----END CERTIFICATE-----\n"
        let made = try JavaKeystore.of(pem: pem + "-----BEGIN CERTIFICATE-----\nBAU=\n-----END CERTIFICATE-----")
        #expect(try JavaKeystore.normalised(made, seconds: 0) == made && made[11] == 2)
        #expect(made.dropLast(20).suffix(6) == [0, 0, 0, 2, 4, 5])
        #expect(throws: AiboxError.self) { try JavaKeystore.of(pem: String(pem.dropLast(12))) }
    }
}
