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
            let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
            door.refused(request.asked, status: status).whenComplete { _ in
                let (handler, context) = bound.value
                handler.end(ToolReply.head(status, length: 0), context)
            }
        case .question(let asked):
            isAnswered = true
            let question = asked.question
            deadline?.cancel()
            let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
            let tell: @Sendable (String) -> Void = { words in
                let (handler, context) = bound.value
                handler.isWaiting = true
                let text = ToolReply.head(202) + words
                context.writeAndFlush(handler.wrapOutboundOut(ByteBuffer(string: text)), promise: nil)
            }
            door.answer(asked, mark: request.mark, to: ticket, asking: tell).whenSuccess { answer in
                let (handler, context) = bound.value
                handler.arm(context)
                let end = ToolReply.end(answer, to: question, isAgent: asked.isAgent)
                let status = answer.run == nil ? 403 : 200
                handler.end((handler.isWaiting ? "" : ToolReply.head(status, length: end.utf8.count)) + end, context)
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

/// What is asked at the door for tools.
enum ToolAsk: Sendable, Equatable {
    /// By a gate, about a program.
    case call(ToolQuestion)
    /// By an agent's hook, about a tool of its own.
    case agent(AgentQuestion)

    var isAgent: Bool {
        if case .agent = self { return true }
        return false
    }

    /// The call that a person's answer is bound to.
    var question: ToolQuestion {
        switch self {
        case .call(let question): question
        case .agent(let agent):
            ToolQuestion(
                program: agent.tool, argv: [agent.tool, String(decoding: agent.input.bytes, as: UTF8.self)],
                directory: agent.directory)
        }
    }
}

/// A question as it comes in: a head, then as many bytes as it says.
struct ToolRequest {
    enum Progress: Equatable {
        case more
        case question(ToolAsk)
        case refusal(status: Int)
    }

    private var parser: HTTPRequestHeadParser
    private var length: Int?
    private var isAgent = false
    private var body: [UInt8] = []
    /// Of the datagram with which the same was asked before; nil: it was not, or that cannot be read.
    private(set) var mark: [UInt8]?
    /// Method and target, once the head was read.
    private(set) var asked: [UInt8] = []

    /// What names it.
    static let markField = "x-aibox-question"

    /// Bytes of a head.
    static let headLimit = 4096

    init() {
        var limits = HTTPRequestHeadParser.Limits()
        limits.head = Self.headLimit
        parser = HTTPRequestHeadParser(limits: limits)
    }

    /// Method and target, without a query: that may hold a secret.
    private static func words(_ head: HTTPRequestHead) -> [UInt8] {
        let target =
            switch head.target {
            case .authority(let host, let port): Array("\(host):\(port)".utf8)
            case .absolute(let scheme, let host, let port, let path):
                Array("\(scheme)://\(host):\(port)".utf8) + path
            case .origin(let path): path
            }
        return Array("\(head.method) ".utf8) + target.prefix { $0 != UInt8(ascii: "?") }
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
                asked = Self.words(head)
                isAgent = head.target == .origin(path: Array(AgentQuestion.path.utf8))
                let isTool = head.target == .origin(path: Array(ToolQuestion.path.utf8))
                guard head.method == "POST", isAgent || isTool else { return .refusal(status: 404) }
                guard case .length(let count) = head.body else { return .refusal(status: 411) }
                if count > (isAgent ? AgentQuestion.bodyLimit : ToolQuestion.bodyLimit) { return .refusal(status: 413) }
                length = Int(count)
                let marks = head.fields.filter { $0.is(Self.markField) }
                if isTool, marks.count == 1, ToolDatagram.isMark(marks[0].value) { mark = marks[0].value }
                body += bytes.suffix(unread)
            }
        }
        guard let length, body.count >= length else { return .more }
        if body.count > length { return .refusal(status: 400) }
        if isAgent {
            guard let agent = try? AgentQuestion(body: body) else { return .refusal(status: 400) }
            return .question(.agent(agent))
        }
        guard let question = try? ToolQuestion(body: body) else { return .refusal(status: 400) }
        return .question(.call(question))
    }
}
