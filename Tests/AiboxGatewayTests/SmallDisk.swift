import AiboxSystem
import Glibc
import Testing

/// A disk that the test can fill: as root a small file system of its own; for an ordinary user, who cannot mount, the
/// limit on the size of files, which fails the same calls.
final class SmallDisk {
    let folder: String
    private let isMounted = geteuid() == 0

    init(_ folder: String) throws {
        self.folder = folder
        try Folder.makePrivate(folder)
        guard isMounted else { return }
        try SystemCommandRunner().require(
            Command("mount", ["-t", "tmpfs", "-o", "size=512k,mode=700", "none", folder]), "cannot mount")
    }

    deinit {
        if isMounted { _ = try? SystemCommandRunner().run(Command("umount", ["--lazy", folder])) }
    }

    /// - Parameter writers: the processes that must find it full.
    func fill(_ writers: Int32...) throws {
        if isMounted {
            let result = try SystemCommandRunner().run(
                Command("dd", ["if=/dev/zero", "of=\(folder)/ballast", "bs=1k"]))
            try #require(result.errorText.contains("No space left"), "\(result.errorText)")
            return
        }
        let segment = try #require(try Folder.names(folder).filter { $0.hasPrefix("events-") }.max())
        var status = Glibc.stat()
        try #require(stat(folder + "/" + segment, &status) == 0)
        try limit(writers, "\(status.st_size + 10):")
    }

    func free(_ writers: Int32...) throws {
        if isMounted { try File.remove(folder + "/ballast") } else { try limit(writers, "unlimited:") }
    }

    private func limit(_ writers: [Int32], _ bytes: String) throws {
        for pid in writers {
            try SystemCommandRunner().require(
                Command("prlimit", ["--pid", "\(pid)", "--fsize=\(bytes)"]), "cannot limit a process")
        }
    }
}
