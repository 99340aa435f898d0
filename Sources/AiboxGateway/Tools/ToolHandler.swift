import AiboxNetwork
import AiboxWire
import NIOCore

/// One connection of a gate: one question, one answer, closed.
final class ToolHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let door: ToolDoor
    private var request = ToolRequest()
    private var isAnswered = false
    private var isWaiting = false
    private let ticket: Int
    private var deadline: Scheduled<Void>?

    init(_ door: ToolDoor) {
        self.door = door
        ticket = door.newTicket()
    }

    func channelActive(context: ChannelHandlerContext) {
        arm(context)
        context.fireChannelActive()
    }

    func channelInactive(context: ChannelHandlerContext) {
        deadline?.cancel()
        if isAnswered { door.left(ticket) }
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if isAnswered { return }
        switch request.read(Array(unwrapInboundIn(data).readableBytesView)) {
        case .more: return
        case .refusal(let status):
            isAnswered = true
            end(ToolReply.head(status), context)
        case .question(let question):
            isAnswered = true
            deadline?.cancel()
            let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
            let tell: @Sendable (String) -> Void = { words in
                let (handler, context) = bound.value
                handler.isWaiting = true
                let text = ToolReply.head(202) + words
                context.writeAndFlush(handler.wrapOutboundOut(ByteBuffer(string: text)), promise: nil)
            }
            door.answer(question, to: ticket, asking: tell).whenSuccess { answer in
                let (handler, context) = bound.value
                handler.arm(context)
                let head = handler.isWaiting ? "" : ToolReply.head(answer.run == nil ? 403 : 200)
                handler.end(head + ToolReply.end(answer, to: question), context)
            }
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    /// Who is slow is left: the gate then refuses.
    private func arm(_ context: ChannelHandlerContext) {
        let channel = context.channel
        deadline = context.eventLoop.scheduleTask(in: ToolDoor.patience) { channel.close(promise: nil) }
    }

    private func end(_ text: String, _ context: ChannelHandlerContext) {
        let channel = context.channel
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: text))).whenComplete { _ in
            channel.close(promise: nil)
        }
    }
}

/// A question as it comes in: a head, then as many bytes as it says.
struct ToolRequest {
    enum Progress: Equatable {
        case more
        case question(ToolQuestion)
        case refusal(status: Int)
    }

    private var parser: HTTPRequestHeadParser
    private var length: Int?
    private var body: [UInt8] = []

    /// Bytes of a head.
    static let headLimit = 4096

    init() {
        var limits = HTTPRequestHeadParser.Limits()
        limits.head = Self.headLimit
        parser = HTTPRequestHeadParser(limits: limits)
    }

    /// Takes what came next.
    mutating func read(_ bytes: [UInt8]) -> Progress {
        if length != nil {
            body += bytes
        } else {
            switch parser.feed(bytes[...]) {
            case .needsMore: return .more
            case .refused(let why): return .refusal(status: why == .tooLarge ? 431 : 400)
            case .head(let head, let unread):
                guard head.method == "POST", head.target == .origin(path: Array(ToolQuestion.path.utf8)) else {
                    return .refusal(status: 404)
                }
                guard case .length(let count) = head.body else { return .refusal(status: 411) }
                if count > ToolQuestion.bodyLimit { return .refusal(status: 413) }
                length = Int(count)
                body += bytes.suffix(unread)
            }
        }
        guard let length, body.count >= length else { return .more }
        guard body.count == length, let question = try? ToolQuestion(body: body)
        else { return .refusal(status: 400) }
        return .question(question)
    }
}
