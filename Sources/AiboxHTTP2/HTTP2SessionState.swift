import CNghttp2

/// What the library's calls into us write down.
final class HTTP2SessionState {
    struct Stream {
        /// Of the head or the trailers that are being read.
        var fields: [HTTP2Field] = []
        var fieldsSize = 0
        var hasHead = false
        var isComplete = false
        /// Why it will be reset, where that is known before it is.
        var fault: String?
        var body: [UInt8] = []
        var sent = 0
        var isBodyComplete = false
        /// The library asked for more of the body than there was.
        var isBodyAwaited = false
    }

    var streams: [HTTP2StreamID: Stream] = [:]
    var events: [HTTP2Event] = []
    var fault: HTTP2Fault?
    /// Bytes of bodies that the caller has not consumed.
    var unconsumed = 0
    var isGreeted = false
    /// Frames that the other side may well send for what was sent to it.
    var earned = 0
    private let limits: HTTP2Limits

    init(_ limits: HTTP2Limits) { self.limits = limits }

    private func received(_ data: UnsafeBufferPointer<UInt8>, on stream: HTTP2StreamID) {
        unconsumed += data.count
        events.append(.data(stream, Array(data)))
    }

    private func field(_ stream: HTTP2StreamID, _ name: String, _ value: String) -> Int32 {
        let field = HTTP2Field(name, value)
        guard streams[stream] != nil else { return 0 }
        streams[stream]?.fieldsSize += field.size
        if (streams[stream]?.fieldsSize ?? 0) > limits.fields {
            streams[stream]?.fields = []
            streams[stream]?.fault = "its head is larger than \(limits.fields) bytes"
            return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE.rawValue
        }
        streams[stream]?.fields.append(field)
        return 0
    }

    private func beginFields(_ stream: HTTP2StreamID) {
        streams[stream]?.fields = []
        streams[stream]?.fieldsSize = 0
    }

    private func endFields(_ stream: HTTP2StreamID) {
        guard let known = streams[stream] else { return }
        streams[stream]?.fields = []
        if known.hasHead {
            events.append(.trailers(stream, known.fields))
        } else if known.fields[":status"]?.hasPrefix("1") != true {
            streams[stream]?.hasHead = true
            events.append(.head(stream, known.fields))
        }
    }

    private func received(_ frame: nghttp2_frame) {
        let stream = frame.hd.stream_id
        switch UInt32(frame.hd.type) {
        case NGHTTP2_HEADERS.rawValue: endFields(stream)
        case NGHTTP2_RST_STREAM.rawValue:
            streams[stream]?.fault = "it ended the stream (\(HTTP2Fault.name(frame.rst_stream.error_code)))"
        case NGHTTP2_SETTINGS.rawValue: isGreeted = true
        case NGHTTP2_GOAWAY.rawValue:
            events.append(.goingAway(last: frame.goaway.last_stream_id, code: frame.goaway.error_code))
        default: break
        }
        let carriesEnd = [NGHTTP2_HEADERS.rawValue, NGHTTP2_DATA.rawValue].contains(UInt32(frame.hd.type))
        if carriesEnd, UInt32(frame.hd.flags) & NGHTTP2_FLAG_END_STREAM.rawValue != 0, streams[stream] != nil {
            streams[stream]?.isComplete = true
            events.append(.end(stream))
        }
    }

    private func closed(_ stream: HTTP2StreamID, _ code: UInt32) {
        guard let known = streams.removeValue(forKey: stream), !known.isComplete else { return }
        let why = known.fault ?? "its answer breaks the protocol (\(HTTP2Fault.name(code)))"
        events.append(.reset(stream, code: code, why: why))
    }

    private func sent(_ frame: nghttp2_frame) {
        switch UInt32(frame.hd.type) {
        // A head, trailers, a reset; and windows, of the stream and the connection, which some open for each half of a frame.
        case NGHTTP2_HEADERS.rawValue: earned += 8
        case NGHTTP2_DATA.rawValue: earned += 4
        default: break
        }
        // The library's own answer to what it cannot go on after.
        guard UInt32(frame.hd.type) == NGHTTP2_GOAWAY.rawValue, frame.goaway.error_code != 0, fault == nil else {
            return
        }
        fault = HTTP2Fault("it breaks the protocol (\(HTTP2Fault.name(frame.goaway.error_code)))")
    }

    private func fill(_ stream: HTTP2StreamID, _ room: UnsafeMutableBufferPointer<UInt8>) -> (count: Int, ends: Bool)? {
        guard let known = streams[stream] else { return (0, true) }
        let count = min(room.count, known.body.count - known.sent)
        if count == 0, !known.isBodyComplete {
            streams[stream]?.isBodyAwaited = true
            return nil
        }
        _ = room.update(fromContentsOf: known.body[known.sent..<known.sent + count])
        let isAll = known.sent + count == known.body.count
        streams[stream]?.sent = isAll ? 0 : known.sent + count
        if isAll { streams[stream]?.body = [] }
        return (count, isAll && known.isBodyComplete)
    }
}

// How the library reaches the state. C functions, which hold nothing.
extension HTTP2SessionState {
    private static func of(_ user: UnsafeMutableRawPointer?) -> HTTP2SessionState? {
        user.map { Unmanaged<HTTP2SessionState>.fromOpaque($0).takeUnretainedValue() }
    }

    static func setCallbacks(_ callbacks: OpaquePointer?) {
        nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks) { _, frame, user in
            if let frame { HTTP2SessionState.of(user)?.beginFields(frame.pointee.hd.stream_id) }
            return 0
        }
        nghttp2_session_callbacks_set_on_header_callback(callbacks) {
            _, frame, name, nameCount, value, count, _, user in
            guard let frame, let state = HTTP2SessionState.of(user) else { return 0 }
            return state.field(
                frame.pointee.hd.stream_id,
                String(decoding: UnsafeBufferPointer(start: name, count: nameCount), as: UTF8.self),
                String(decoding: UnsafeBufferPointer(start: value, count: count), as: UTF8.self))
        }
        nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks) { _, frame, user in
            if let frame { HTTP2SessionState.of(user)?.received(frame.pointee) }
            return 0
        }
        nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks) { _, _, stream, data, count, user in
            HTTP2SessionState.of(user)?.received(UnsafeBufferPointer(start: data, count: count), on: stream)
            return 0
        }
        nghttp2_session_callbacks_set_on_stream_close_callback(callbacks) { _, stream, code, user in
            HTTP2SessionState.of(user)?.closed(stream, code)
            return 0
        }
        nghttp2_session_callbacks_set_on_frame_send_callback(callbacks) { _, frame, user in
            if let frame { HTTP2SessionState.of(user)?.sent(frame.pointee) }
            return 0
        }
    }

    static let readBody: nghttp2_data_source_read_callback = { _, stream, room, count, flags, _, user in
        guard let state = HTTP2SessionState.of(user), let flags else {
            return Int(NGHTTP2_ERR_CALLBACK_FAILURE.rawValue)
        }
        guard let part = state.fill(stream, UnsafeMutableBufferPointer(start: room, count: count)) else {
            return Int(NGHTTP2_ERR_DEFERRED.rawValue)
        }
        if part.ends { flags.pointee |= NGHTTP2_DATA_FLAG_EOF.rawValue }
        return part.count
    }
}
