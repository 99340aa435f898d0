import NIOCore

/// The sandbox's end of a connection, as a handler of its requests uses it: bytes are read when there is room, there is one
/// timer, and the end comes in order. Belongs to one event loop.
final class ClientLink {
    private(set) var context: ChannelHandlerContext?
    private var isReading = false
    private var timer: Scheduled<Void>?
    private var lastProgress = NIODeadline.now()

    /// Of a client that does not take the last answer.
    private let silence: TimeAmount

    private static let lingerLimit = TimeAmount.seconds(2)

    init(silence: TimeAmount) { self.silence = silence }

    func attach(_ context: ChannelHandlerContext) { self.context = context }

    func detach() {
        stopTimer()
        context = nil
    }

    var isWritable: Bool { context?.channel.isWritable ?? false }

    // MARK: Reading

    /// Asks for more, unless that was done already.
    func read() {
        guard let context, context.channel.isActive, !isReading else { return }
        isReading = true
        context.read()
    }

    func hasRead() { isReading = false }

    // MARK: Writing

    func write(_ bytes: [UInt8]) { write(ByteBuffer(bytes: bytes)) }

    func write(_ bytes: ByteBuffer) { context?.write(NIOAny(bytes), promise: nil) }

    func flush() { context?.flush() }

    // MARK: Time

    /// In place of what was to happen before.
    func after(_ time: TimeAmount, _ body: @escaping () -> Void) {
        stopTimer()
        timer = context?.eventLoop.assumeIsolated().scheduleTask(in: time, body)
    }

    func stopTimer() { timer?.cancel() }

    /// Something moved.
    func progressed() { lastProgress = .now() }

    func hasStalled(for limit: TimeAmount) -> Bool { lastProgress + limit <= .now() }

    // MARK: The end

    func close() { context?.close(promise: nil) }

    /// Says that nothing more comes, and throws away for a moment what still does, so that the last answer is not taken away
    /// from a client that is sending (RFC 9112 section 9.6). The moment begins when the answer is out.
    func linger() {
        guard let context else { return }
        after(silence) { self.close() }
        let channel = context.channel
        context.writeAndFlush(NIOAny(ByteBuffer())).assumeIsolated().whenComplete { _ in
            channel.close(mode: .output, promise: nil)
            self.after(Self.lingerLimit) { self.close() }
        }
        read()
    }
}
