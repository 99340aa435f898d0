import AiboxSystem
import AiboxWire
import NIOCore

/// One connection of a gate: one question, one answer, closed.
final class ToolHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let door: ToolDoor
    private var bytes: [UInt8] = []
    private var isAnswered = false
    private var deadline: Scheduled<Void>?

    init(_ door: ToolDoor) { self.door = door }

    func channelActive(context: ChannelHandlerContext) {
        arm(context)
        context.fireChannelActive()
    }

    func channelInactive(context: ChannelHandlerContext) {
        deadline?.cancel()
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if isAnswered { return }
        bytes += unwrapInboundIn(data).readableBytesView
        switch ToolRequest.read(bytes) {
        case .more: return
        case .refusal(let status):
            isAnswered = true
            send(status, ["error": .string(status)], context)
        case .question(let question):
            isAnswered = true
            bytes = []
            deadline?.cancel()
            let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
            door.answer(question).whenSuccess { answer in
                let (handler, context) = bound.value
                handler.arm(context)
                handler.send(answer.run == nil ? "403 Forbidden" : "200 OK", answer.json, context)
            }
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    /// Who is slow is left: the gate then refuses.
    private func arm(_ context: ChannelHandlerContext) {
        let channel = context.channel
        deadline = context.eventLoop.scheduleTask(in: ToolDoor.patience) { channel.close(promise: nil) }
    }

    private func send(_ status: String, _ body: JSONValue, _ context: ChannelHandlerContext) {
        let body = body.bytes
        let head =
            "HTTP/1.1 \(status)\r\nContent-Type: application/json\r\nContent-Length: \(body.count)\r\n"
            + "Connection: close\r\n\r\n"
        let channel = context.channel
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: Array(head.utf8) + body)))
            .whenComplete { _ in channel.close(promise: nil) }
    }
}

/// The bytes of a question, as far as they have come.
enum ToolRequest: Equatable {
    case more
    case question(ToolQuestion)
    case refusal(status: String)

    /// Bytes of a head.
    static let headLimit = 4096

    static func read(_ bytes: [UInt8]) -> ToolRequest {
        guard let end = bytes.prefix(headLimit + 4).firstRange(of: Array("\r\n\r\n".utf8)) else {
            return bytes.count < headLimit ? .more : .refusal(status: "431 Request Header Fields Too Large")
        }
        let lines = bytes[..<end.lowerBound].split(separator: 0x0a, omittingEmptySubsequences: false).map { line in
            String(decoding: line.last == 0x0d ? line.dropLast() : line, as: UTF8.self)
        }
        if lines[0] != "POST \(ToolQuestion.path) HTTP/1.1" { return .refusal(status: "404 Not Found") }
        let lengths = lines.dropFirst().filter { $0.lowercased().hasPrefix("content-length:") }
            .map { $0.dropFirst("content-length:".count).filter { $0 != " " } }
        guard lengths.count == 1, let first = lengths.first, first.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            let length = Int(first)
        else { return .refusal(status: "411 Length Required") }
        if length > ToolQuestion.bodyLimit { return .refusal(status: "413 Content Too Large") }
        let body = bytes[end.upperBound...]
        if body.count < length { return .more }
        guard body.count == length, let json = try? JSONParser.parse(body), let question = try? ToolQuestion(json: json)
        else { return .refusal(status: "400 Bad Request") }
        return .question(question)
    }
}
