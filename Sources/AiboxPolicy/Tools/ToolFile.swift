/// An executable file of an image, under all its names.
public struct ToolFile: Sendable, Equatable {
    /// The names of the file itself: more than one where there are hard links.
    public var paths: [String]
    /// Every path that leads to it, links included.
    public var aliases: [String]

    public init(paths: [String], aliases: [String]) {
        self.paths = paths
        self.aliases = aliases
    }
}
