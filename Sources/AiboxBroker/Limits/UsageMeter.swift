import AiboxWire
import NIOCore

/// Reads what an answer cost while it passes, from a JSON body or from the events of a stream.
///
/// It changes nothing and holds nothing up. A body or a line beyond the limit is not read: the cost is then estimated.
struct UsageMeter {
    enum Form: Equatable {
        /// One JSON document.
        case document
        /// Server-sent events (WHATWG HTML, section 9.2).
        case events
        /// Messages of AWS (`EventFrames`).
        case frames
        case unread
    }

    let form: Form
    private(set) var frames = EventFrames(limit: limit)
    /// What stands in for a count that the content does not have.
    var fallback: TokenUsage?
    private var buffer: [UInt8] = []
    private var isTooLong = false
    private var found = TokenUsage()
    private var hasFound = false
    /// Pieces of text that came: each is about one token where the provider does not say.
    private(set) var pieces = 0
    private var bytes = 0

    static let limit = 4 << 20

    init(_ form: Form) { self.form = form }

    /// - Parameter contentType: the answer's, as sent.
    static func form(contentType: String?) -> Form {
        let type = (contentType ?? "").lowercased().prefix { $0 != ";" && $0 != " " }
        if type == "text/event-stream" { return .events }
        if type == "application/vnd.amazon.eventstream" { return .frames }
        return type == "application/json" ? .document : .unread
    }

    mutating func feed(_ piece: ByteBuffer) {
        bytes += piece.readableBytes
        switch form {
        case .unread: break
        case .document:
            if isTooLong || buffer.count + piece.readableBytes > Self.limit {
                isTooLong = true
                buffer = []
            } else {
                buffer += piece.readableBytesView
            }
        case .frames:
            var messages: [[UInt8]] = []
            frames.feed(piece.readableBytesView) { messages.append($0) }
            pieces += messages.count
            for message in messages { takeMessage(message) }
        case .events:
            var rest = piece.readableBytesView
            while let end = rest.firstIndex(of: 0x0A) {
                add(rest[rest.startIndex..<end])
                line()
                rest = rest[(end + 1)...]
            }
            add(rest)
        }
    }

    private mutating func add(_ part: ByteBufferView) {
        if isTooLong || buffer.count + part.count > Self.limit { isTooLong = true } else { buffer += part }
    }

    private mutating func line() {
        defer {
            buffer.removeAll(keepingCapacity: buffer.capacity < 65_536)
            isTooLong = false
        }
        guard !isTooLong, buffer.starts(with: "data:".utf8) else { return }
        pieces += 1
        // Most events are pieces of text: those are not parsed.
        guard Self.mentionsUsage(buffer) else { return }
        if let document = try? JSONParser.parse(buffer.dropFirst(5), limits: Self.limits) { take(document) }
    }

    static let limits = JSONParser.Limits(size: limit, depth: 256, roundsLargeIntegers: true)

    private static func mentionsUsage(_ line: [UInt8]) -> Bool {
        let word = Array("\"usage\"".utf8)
        return line.withUnsafeBytes { bytes in
            word.withUnsafeBytes { UsageMeter.contains(bytes, $0) }
        }
    }

    private static func contains(_ text: UnsafeRawBufferPointer, _ word: UnsafeRawBufferPointer) -> Bool {
        guard text.count >= word.count else { return false }
        for start in 0...(text.count - word.count)
        where text[start] == word[0]
            && UnsafeRawBufferPointer(rebasing: text[start..<start + word.count]).elementsEqual(word)
        {
            return true
        }
        return false
    }

    mutating func take(_ document: JSONValue) {
        // At the top; in Anthropic's message_start in `message`; in OpenAI's response.completed in `response`.
        for place in [document, document["message"], document["response"]] {
            guard let usage = place?["usage"], case .object = usage else { continue }
            found.take(usage)
            hasFound = true
        }
    }

    /// What it cost, once the answer has ended; nil where the provider did not say.
    mutating func finish() -> TokenUsage? {
        if form == .events { line() }
        if form == .document, !isTooLong, !buffer.isEmpty {
            readDocument()
            buffer = []
        }
        return hasFound ? found : fallback
    }

    /// Only the one member is parsed: answers are long.
    private mutating func readDocument() {
        let usage = buffer.withUnsafeBytes { bytes -> JSONValue? in
            guard let members = try? JSONScan.members(of: bytes),
                let member = members.first(where: { $0.name == "usage" })
            else { return nil }
            return try? JSONParser.parse(bytes[member.value], limits: Self.limits)
        }
        guard let usage, case .object = usage else { return }
        found.take(usage)
        hasFound = true
    }

    /// What it will have cost, where the provider did not say.
    ///
    /// - Parameter input: the estimate made before it was sent.
    func estimate(input: Int) -> TokenUsage {
        let output =
            form == .events || form == .frames ? pieces : (bytes + LLMBody.bytesPerToken - 1) / LLMBody.bytesPerToken
        return TokenUsage(input: input, output: output)
    }
}
