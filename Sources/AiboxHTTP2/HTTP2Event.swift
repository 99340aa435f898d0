/// A stream's number (RFC 9113, section 5.1.1).
public typealias HTTP2StreamID = Int32

/// What the other side has done.
public enum HTTP2Event: Sendable, Equatable {
    /// The head of the answer; those in between (status 1xx) are left out.
    case head(HTTP2StreamID, [HTTP2Field])
    /// A part of the body. It counts against the windows until `HTTP2ClientSession.consume`.
    case data(HTTP2StreamID, [UInt8])
    case trailers(HTTP2StreamID, [HTTP2Field])
    /// The answer is complete.
    case end(HTTP2StreamID)
    /// The stream is over without a complete answer: why, and the code of RFC 9113, section 7.
    case reset(HTTP2StreamID, code: UInt32, why: String)
    /// The other side takes no new streams; those above `last` it has not begun.
    case goingAway(last: HTTP2StreamID, code: UInt32)
}
