/// Why a document is no JSON that aibox accepts.
public struct JSONError: Error, Sendable, Equatable, CustomStringConvertible {
    public enum Reason: String, Sendable {
        case unexpectedEnd = "it ends too early"
        case unexpectedByte = "unexpected character"
        case trailing = "something follows the value"
        case duplicateName = "a name occurs twice in one object"
        case numberOutOfRange = "the number is too large"
        case loneSurrogate = "half of a surrogate pair"
        case invalidUTF8 = "the string is not UTF-8"
        case tooDeep = "it is nested too deeply"
        case tooLong = "it is too long"
    }

    public let reason: Reason
    /// Where, in bytes from the start.
    public let position: Int

    init(_ reason: Reason, at position: Int) {
        self.reason = reason
        self.position = position
    }

    public var description: String { "\(reason.rawValue) (byte \(position))" }
}
