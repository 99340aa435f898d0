/// An executable file of an image, under all its names.
public struct ToolFile: Sendable, Equatable {
    /// The names of the file itself: more than one where there are hard links.
    public var paths: [String]
    /// Every path that leads to it, links included.
    public var aliases: [String]
    /// The names of its programs, where it is many in one file.
    public var applets: [String] = []

    public init(paths: [String], aliases: [String]) {
        self.paths = paths
        self.aliases = aliases
    }

    /// Its programs as paths below its own, where no file is: rules about names mean them, rules about paths do not.
    var appletPaths: [String] { applets.map { (paths.first ?? "") + "/" + $0 } }
}
