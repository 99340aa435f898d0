import AiboxHTTP2
import NIOCore

/// One request on a connection that carries many, and its answer.
///
/// What comes while the asker takes nothing is held: no more than a window, which opens again as he takes it.
final class UpstreamStream: UpstreamCarrier {
    private enum End {
        case complete
        case broken(BrokerRefusal, isUntouched: Bool)
    }

    private static let piece = 64 << 10

    private let session: UpstreamSession
    private var id: HTTP2StreamID?
    private var asker: (any UpstreamAsker)?
    private var isHeadAsked = false
    private var hasBegun = false
    private var isReleased = false
    /// Of the request, what is not with the framing yet.
    private var body = ByteBuffer()
    private var isBodyWhole = false
    private var isBodySent = false
    /// Of the answer, what the asker has not taken yet; behind it, the end.
    private var held = ByteBuffer()
    private var end: End?

    init(_ session: UpstreamSession) { self.session = session }

    // MARK: The request

    func ask(_ request: UpstreamRequest, body: ByteBuffer, isWhole: Bool, for asker: any UpstreamAsker) {
        self.asker = asker
        self.body = body
        isHeadAsked = request.isHead
        isBodyWhole = isWhole
        isBodySent = isWhole && body.readableBytes == 0
        do throws(HTTP2Fault) { id = try session.open(request, endsStream: isBodySent, for: self) } catch {
            // Not a byte of it went out.
            return breaksOff(.upstream(error), isUntouched: true)
        }
        sendBody()
    }

    var takesMore: Bool {
        guard let id else { return false }
        return !isBodyWhole && body.readableBytes == 0 && session.takesMore(id)
    }

    func send(_ piece: ByteBuffer) {
        if body.readableBytes == 0 { body = piece } else { body.writeImmutableBuffer(piece) }
        sendBody()
    }

    func endBody() {
        isBodyWhole = true
        sendBody()
    }

    /// The windows or the connection may have opened.
    func sendMore() {
        sendBody()
        if takesMore { asker?.upstreamTakesMore() }
    }

    private func sendBody() {
        guard let id, !isBodySent else { return }
        while session.takesMore(id), let piece = body.readBytes(length: min(Self.piece, body.readableBytes)),
            !piece.isEmpty
        { session.send(piece, on: id) }
        if body.readableBytes > 0 { return }
        body = ByteBuffer()
        if isBodyWhole, !isBodySent {
            isBodySent = true
            session.endBody(of: self, id)
        }
    }

    // MARK: The answer

    func begins(_ fields: [HTTP2Field]) {
        guard let asker else { return }
        do throws(UpstreamHead.Failure) {
            let head = try UpstreamHead(fields, isHead: isHeadAsked)
            hasBegun = true
            asker.answerBegins(head)
        } catch { breaksOff(.upstream(error), isUntouched: false) }
    }

    func goesOn(_ bytes: [UInt8]) {
        if asker == nil || end != nil { return }
        held.writeBytes(bytes)
        deliver()
    }

    func ends() {
        if end == nil { end = .complete }
        deliver()
    }

    /// - Parameter isUntouched: the server says that it did not begin with the request.
    func breaksOff(_ refusal: BrokerRefusal, isUntouched: Bool) {
        if end == nil { end = .broken(refusal, isUntouched: isUntouched && !hasBegun) }
        deliver()
    }

    func pause() { asker?.answerPauses() }

    func updateReading() {
        if held.readableBytes == 0, end == nil { return }
        deliver()
        pause()
    }

    private func deliver() {
        guard let asker else { return }
        if held.readableBytes > 0, asker.canTakeMore {
            let piece = held
            held = ByteBuffer()
            asker.answerGoesOn(piece)
            if let id, !isReleased { session.took(piece.readableBytes, on: id) }
        }
        guard held.readableBytes == 0, let end, self.asker != nil else { return }
        release()
        switch end {
        case .complete: asker.answerEnds()
        case .broken(let refusal, let isUntouched): asker.answerFails(refusal, isUntouched: isUntouched)
        }
    }

    func abandon() { release() }

    private func release() {
        asker = nil
        body = ByteBuffer()
        held = ByteBuffer()
        if isReleased { return }
        isReleased = true
        session.release(self, id)
    }
}
