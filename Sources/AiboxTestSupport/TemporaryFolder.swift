public import AiboxSystem

/// A private folder that is removed with all its content when the last reference goes.
public final class TemporaryFolder: Sendable {
    public let path: String

    /// - Parameter inMemory: for tests that sync thousands of times and are not about the disk.
    public init(prefix: String = "aibox-test", inMemory: Bool = false) throws(AiboxError) {
        let hasMemory = inMemory && File.isDirectory("/dev/shm")
        path = try Folder.makeTemporary(prefix: prefix, in: hasMemory ? "/dev/shm" : nil)
    }

    deinit { try? Folder.removeTree(path) }

    /// Writes a file below the folder and returns its path.
    @discardableResult
    public func write(_ name: String, _ text: String) throws(AiboxError) -> String {
        let file = path + "/" + name
        try Folder.make(Path.parent(file))
        try File.replace(file, with: text, mode: 0o644)
        return file
    }
}
