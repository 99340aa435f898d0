import AiboxTestSupport

extension SeededGenerator {
    /// A text of up to `length` pieces.
    mutating func text(_ pieces: [String], upTo length: Int) -> String {
        (0..<Int.random(in: 0...length, using: &self)).map { _ in pieces.randomElement(using: &self) ?? "" }.joined()
    }
}
