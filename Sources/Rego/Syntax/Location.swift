/// A place in a policy: file, row and column (from 1), and the byte range.
public struct Location: Hashable, Sendable {
    /// Index of the module in the order given to the engine; -1 is the query.
    public var file: Int32
    public var row: Int32
    public var column: Int32
    var offset: Int32
    var end: Int32

    static let none = Location(file: -1, row: 1, column: 1, offset: 0, end: 0)

    func through(_ end: Int32) -> Location {
        var copy = self
        copy.end = max(end, offset)
        return copy
    }
}
