import AiboxCrypto
public import AiboxSystem

/// Records what a session shows, as it comes: gathers, encrypts, writes, keeps to its size.
///
/// What was typed is not recorded, only what the terminal showed of it: passwords stay out.
public final class SessionRecorder {
    private let writer: RecordingWriter
    private let limit: UInt64
    private let begin: ContinuousClock.Instant
    private var output = AsciicastOutput()
    private var pending: [UInt8] = []
    private var flushed: ContinuousClock.Instant

    /// What waits in memory at most: in bytes, and in time while output comes.
    static let pendingBytes = 256 << 10
    public static let pendingTime = Duration.seconds(1)

    public var header: RecordingHeader { writer.header }
    /// Bytes on the disk so far.
    public var size: UInt64 { writer.size }
    /// Since the start.
    public var elapsed: Duration { ContinuousClock.now - begin }

    /// - Parameters:
    ///   - limit: bytes on the disk at most.
    ///   - notice: shown to the person, and so a part of the recording.
    public init(
        folder: String, _ header: RecordingHeader, for recipient: RecordingRecipient, limit: Int, width: Int,
        height: Int, title: String, term: String, notice: String
    ) throws(AiboxError) {
        writer = try RecordingWriter(folder: folder, header, for: recipient)
        self.limit = UInt64(max(limit, 65_536))
        begin = .now
        flushed = .now
        pending = Asciicast.header(width: width, height: height, started: .now, title: title, term: term)
        try note(notice + "\r\n")
        try flush()
    }

    /// - Throws: if it cannot be written, or the recording is as large as it may be. Then it is over.
    public func output(_ bytes: UnsafeRawBufferPointer) throws(AiboxError) {
        output.append(bytes, at: elapsed, to: &pending)
        if pending.count >= Self.pendingBytes || ContinuousClock.now - flushed >= Self.pendingTime { try flush() }
    }

    /// A line of aibox itself among the output.
    public func note(_ text: String) throws(AiboxError) {
        try Array(text.utf8).borrowed { (bytes) throws(AiboxError) in try output(bytes) }
    }

    public func resize(width: Int, height: Int) throws(AiboxError) {
        pending += Asciicast.resize(width, height, at: elapsed)
    }

    /// Writes what waits; to be called also when no output comes.
    public func flush() throws(AiboxError) {
        flushed = .now
        if pending.isEmpty { return }
        // A chunk's frame, and the last one's.
        if writer.size + UInt64(pending.count) + 64 > limit {
            throw AiboxError(
                .failed, "the recording is full", why: "it may have \(limit) bytes",
                remedy: "audit.recording_limit sets how many")
        }
        try writer.write(pending)
        pending.removeAll(keepingCapacity: true)
    }

    /// Ends the recording.
    ///
    /// - Returns: the SHA-256 of the file.
    public func finish() throws(AiboxError) -> String {
        output.flush(at: elapsed, to: &pending)
        try flush()
        return try writer.finish()
    }

    /// Ends a recording that is full or could not be written: what waits is dropped, the mark of its end is set.
    public func abandon() throws(AiboxError) -> String { try writer.finish() }
}
