/// The models that may be asked: names in which `*` stands for anything.
struct ModelList: Sendable, Equatable {
    private let patterns: [[UInt8]]

    init(_ patterns: [String]) { self.patterns = patterns.map { Array($0.utf8) } }

    /// - Parameter isNamed: the name says whose the model is: only a pattern that is an ARN itself allows it.
    func allows(_ model: String, isNamed: Bool = false) -> Bool {
        let name = Array(model.utf8)
        return patterns.contains { (!isNamed || $0.starts(with: "arn:".utf8)) && Self.matches($0, name) }
    }

    /// Whether the pattern stands for the model.
    static func matches(_ pattern: String, _ model: String) -> Bool { matches(Array(pattern.utf8), Array(model.utf8)) }

    /// The last asterisk is widened by one character at a time: linear in practice, quadratic at worst.
    private static func matches(_ pattern: [UInt8], _ name: [UInt8]) -> Bool {
        var (place, index) = (0, 0)
        var star: (place: Int, index: Int)?
        while index < name.count {
            if place < pattern.count, pattern[place] == UInt8(ascii: "*") {
                star = (place + 1, index)
                place += 1
            } else if place < pattern.count, pattern[place] == name[index] {
                place += 1
                index += 1
            } else if let last = star {
                star = (last.place, last.index + 1)
                (place, index) = (last.place, last.index + 1)
            } else {
                return false
            }
        }
        return pattern[place...].allSatisfy { $0 == UInt8(ascii: "*") }
    }
}
