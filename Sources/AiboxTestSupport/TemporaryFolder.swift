public import AiboxSystem

/// A private folder that is removed with all its content when the last reference goes.
public final class TemporaryFolder: Sendable {
    public let path: String

    public init(prefix: String = "aibox-test") throws(AiboxError) { path = try Folder.makeTemporary(prefix: prefix) }

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
