public import AiboxSystem
import AiboxWire

/// What a file of the LLM proxy holds: a request to a language model and the answer.
public struct PayloadText: Sendable {
    /// Names the exchange: `request`, `model`, `provider`, `path`.
    public private(set) var names: [(name: String, value: String)] = []
    public private(set) var request: [UInt8] = []
    public private(set) var answer: [UInt8] = []
    /// More of the answer came than is kept.
    public private(set) var isCut = false
    /// The mark of an orderly end was there.
    public private(set) var isComplete = false
    /// SHA-256 of the file.
    public private(set) var digest = ""

    private static let limit = 80 << 20

    /// Reads all of it.
    public init(_ reader: RecordingReader) throws(AiboxError) {
        while let chunk = try reader.next() {
            guard let kind = chunk.first else { continue }
            let content = chunk.dropFirst()
            switch kind {
            case UInt8(ascii: "m"):
                if case .object(let meta)? = try? JSONParser.parse(content) {
                    names = meta.members.compactMap { member in member.value.stringValue.map { (member.name, $0) } }
                }
            case UInt8(ascii: "q"): request += content
            case UInt8(ascii: "a"): answer += content
            case UInt8(ascii: "c"): isCut = true
            default:
                throw AiboxError(.integrity, "cannot read \(reader.header.id)", why: "it is no request to a model")
            }
            if request.count + answer.count > Self.limit {
                throw AiboxError(.integrity, "cannot read \(reader.header.id)", why: "it is larger than they are made")
            }
        }
        isComplete = reader.isComplete
        digest = try reader.digest()
    }
}
