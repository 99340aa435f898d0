public import AiboxSystem
import Glibc

/// Where sealed files lie: written once, never changed.
public protocol ArchiveStore: Sendable {
    /// The names that are there, complete ones only, sorted.
    func names() throws(AiboxError) -> [String]
    /// Puts a file there, to stay until a moment. Goes on where an interrupted call stopped.
    ///
    /// - Throws: if the name is taken by other content.
    func put(_ name: String, _ file: String, until: Timestamp) throws(AiboxError)
    func get(_ name: String) throws(AiboxError) -> [UInt8]
    /// Removes what was to stay until a moment that has passed.
    func remove(_ name: String) throws(AiboxError)
}

/// A local folder. Files are 0444 and, where this process may, immutable (chattr +i).
public struct FolderStore: ArchiveStore {
    let folder: String

    public init(folder: String) { self.folder = folder }

    public func names() throws(AiboxError) -> [String] {
        guard File.isDirectory(folder) else { return [] }
        return try Folder.names(folder).filter { !$0.hasPrefix(".") }
    }

    public func put(_ name: String, _ file: String, until: Timestamp) throws(AiboxError) {
        try Folder.make(folder, mode: 0o755)
        let path = folder + "/" + name
        let content = try File.read(file, limit: 1 << 30)
        if File.exists(path) {
            if try File.read(path, limit: 1 << 30) == content { return }
            throw AiboxError(.integrity, "cannot archive \(name)", why: "\(path) is there with other content")
        }
        try File.replace(path, with: content, mode: 0o444)
        // Needs CAP_LINUX_IMMUTABLE and a file system that knows it: as well as it goes.
        _ = try? SystemCommandRunner().run(Command("chattr", ["+i", path]))
    }

    public func get(_ name: String) throws(AiboxError) -> [UInt8] {
        try File.read(folder + "/" + name, limit: 1 << 30)
    }

    public func remove(_ name: String) throws(AiboxError) {
        _ = try? SystemCommandRunner().run(Command("chattr", ["-i", folder + "/" + name]))
        try File.remove(folder + "/" + name)
    }
}
