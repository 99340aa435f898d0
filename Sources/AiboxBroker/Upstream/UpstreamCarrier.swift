import AiboxHTTP2
import AiboxSystem
import NIOCore

/// What carries one request to an upstream, and its answer back: a connection of HTTP/1.1, or a stream of HTTP/2.
protocol UpstreamCarrier: AnyObject {
    /// Sends a request. Once.
    ///
    /// - Parameters:
    ///   - body: what there is of it, as content.
    ///   - isWhole: nothing of the body follows with `send`.
    func ask(_ request: UpstreamRequest, body: ByteBuffer, isWhole: Bool, for asker: any UpstreamAsker)
    /// Whether the next piece of a body would go out at once.
    var takesMore: Bool { get }
    /// Sends a piece of a body.
    func send(_ piece: ByteBuffer)
    /// The body has come to its end.
    func endBody()
    /// The asker may be able to take more.
    func updateReading()
    /// Nobody waits for the answer any more.
    func abandon()
}

/// Who asked.
protocol UpstreamAsker: AnyObject {
    var canTakeMore: Bool { get }
    /// There is room for more of a body that was not given whole.
    func upstreamTakesMore()
    func answerBegins(_ head: UpstreamHead)
    func answerGoesOn(_ content: ByteBuffer)
    /// Everything that was read is told.
    func answerPauses()
    func answerEnds()
    /// - Parameter isUntouched: the server has done nothing of the request, and says so: it may be sent again.
    func answerFails(_ refusal: BrokerRefusal, isUntouched: Bool)
}

extension BrokerRefusal {
    static func upstream(_ reason: String) -> BrokerRefusal {
        BrokerRefusal(kind: .upstream, rule: "llm.upstream", reason: reason)
    }

    static let upstreamLost = upstream("the server closed the connection before its answer was complete")

    /// What went wrong with an answer.
    static func upstream(_ error: any Error) -> BrokerRefusal {
        switch error {
        case UpstreamHead.Failure.encoded:
            upstream(
                "the server's answer is in an encoding that was not asked for, and what is in it could not be checked")
        case is UpstreamHead.Failure, is ContentReader.Failure: upstream("the server's answer is no valid HTTP")
        case let error as AiboxError: upstream(error.reason)
        case let fault as HTTP2Fault: upstream("the connection to the server ended: \(fault.reason)")
        default: upstream("the connection to the server failed")
        }
    }
}
