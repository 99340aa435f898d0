import CNghttp2

/// A connection cannot go on, or a call makes no sense on it.
public struct HTTP2Fault: Error, Sendable, Equatable {
    /// For a sentence: `it sends too many frames that say nothing`.
    public let reason: String

    init(_ reason: String) { self.reason = reason }

    /// The library's words for one of its error codes.
    init(library code: Int) {
        reason = nghttp2_strerror(Int32(clamping: code)).map { String(cString: $0) } ?? "error \(code)"
    }

    /// The name of a code of RFC 9113, section 7: `PROTOCOL_ERROR`.
    static func name(_ code: UInt32) -> String { String(cString: nghttp2_http2_strerror(code)) }
}
