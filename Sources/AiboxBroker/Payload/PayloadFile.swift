import AiboxAudit
import AiboxSystem
import AiboxWire
import NIOCore
import Synchronization

/// One request and its answer as they are kept: a recording (`AiboxAudit`), which whoever wrote it cannot read.
///
/// Each chunk begins with what it is of: `m` one JSON object that names the exchange, `q` the request's body, `a` the
/// answer's content, `c` more came and is not kept.
final class PayloadFile: Sendable {
    private struct State {
        var writer: RecordingWriter
        var redaction: Redaction
        var block: [UInt8] = []
        var kept = 0
        var isCut = false
    }

    let id: String
    private let rule: PayloadRule
    private let shelf: PayloadShelf?
    private let state: Mutex<State>

    /// Bytes of an answer that are kept.
    static let answerLimit = 32 << 20
    private static let blockSize = 16 << 10
    private static let chunkSize = (1 << 20) - 1

    /// Makes the file, with the request in it.
    ///
    /// - Parameter shelf: told how much is written.
    init(
        _ rule: PayloadRule, _ stay: LLMProxyServer.Stay, _ record: LLMRecord, _ body: ByteBuffer,
        shelf: PayloadShelf? = nil
    ) throws(AiboxError) {
        let id = try EventID.fresh().description
        let header = RecordingHeader(
            id: id, session: stay.session, sandbox: stay.sandbox, user: stay.user, host: AuditContext.hostName,
            started: Timestamp.now.rfc3339, kind: "llm", recipient: rule.recipient)
        let writer = try RecordingWriter(folder: rule.folder, header, for: rule.recipient)
        let meta: JSONValue = [
            "request": .string(record.id), "model": .string(record.model), "provider": .string(record.provider),
            "path": .string(record.path),
        ]
        try writer.write([UInt8(ascii: "m")] + meta.bytes)
        try Self.write(rule.masked(body), "q", to: writer)
        self.id = id
        self.rule = rule
        self.shelf = shelf
        shelf?.took(Int(clamping: writer.size))
        state = Mutex(State(writer: writer, redaction: Redaction(rule.forms)))
    }

    private static func write(_ bytes: [UInt8], _ kind: Unicode.Scalar, to writer: RecordingWriter) throws(AiboxError) {
        for start in stride(from: 0, to: bytes.count, by: chunkSize) {
            try writer.write([UInt8(ascii: kind)] + bytes[start..<min(start + chunkSize, bytes.count)])
        }
    }

    /// A piece of the answer.
    func answer(_ piece: ByteBuffer) throws(AiboxError) {
        try state.withLock { state throws(AiboxError) in
            if state.isCut { return }
            if state.kept + piece.readableBytes > Self.answerLimit {
                state.isCut = true
                return
            }
            state.kept += piece.readableBytes
            state.block += state.redaction.feed(piece).readableBytesView
            if state.block.count >= Self.blockSize { try flush(&state) }
        }
    }

    private func flush(_ state: inout State) throws(AiboxError) {
        let block = rule.masked(patternsIn: state.block)
        state.block = []
        try Self.write(block, "a", to: state.writer)
    }

    /// The mark of an orderly end; all is on the disk then.
    ///
    /// - Returns: the SHA-256 of the file.
    func finish() throws(AiboxError) -> String {
        try state.withLock { state throws(AiboxError) in
            state.block += state.redaction.finish().readableBytesView
            try flush(&state)
            if state.isCut { try state.writer.write([UInt8(ascii: "c")]) }
            shelf?.took(state.kept)
            return try state.writer.finish()
        }
    }
}
