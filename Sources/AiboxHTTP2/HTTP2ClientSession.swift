import CNghttp2

/// The client's side of one HTTP/2 connection (RFC 9113) as a machine without a socket: bytes of the network go in, events and
/// bytes for the network come out. The frames and HPACK are libnghttp2's.
///
/// Any number of streams at once. Windows open only as far as the caller says that it has consumed what came, so what is
/// buffered is bounded by `HTTP2Limits`. Pushed streams are refused. After a fault every call throws it; what `output` had
/// still to say is worth sending before hanging up.
public final class HTTP2ClientSession {
    private let session: OpaquePointer
    private let state: HTTP2SessionState
    private let limits: HTTP2Limits
    private var meter: HTTP2FrameMeter
    /// Bytes for the network that came up while bytes were received.
    private var pending: [UInt8] = []

    public init(_ limits: HTTP2Limits = HTTP2Limits()) throws(HTTP2Fault) {
        self.limits = limits
        meter = HTTP2FrameMeter(limits)
        state = HTTP2SessionState(limits)
        session = try Self.make(state)
        var settings = [
            nghttp2_settings_entry(settings_id: Int32(NGHTTP2_SETTINGS_ENABLE_PUSH.rawValue), value: 0),
            nghttp2_settings_entry(settings_id: Int32(NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS.rawValue), value: 0),
            nghttp2_settings_entry(
                settings_id: Int32(NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE.rawValue), value: UInt32(limits.streamWindow)),
            nghttp2_settings_entry(
                settings_id: Int32(NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE.rawValue), value: UInt32(limits.fields)),
        ]
        try check(nghttp2_submit_settings(session, 0, &settings, settings.count))
        try check(nghttp2_session_set_local_window_size(session, 0, 0, limits.connectionWindow))
    }

    deinit { nghttp2_session_del(session) }

    /// Whether the other side takes one more stream at all.
    public var canOpen: Bool { state.fault == nil && nghttp2_session_check_request_allowed(session) != 0 }

    /// Whether the other side has said what it takes: its first frame (RFC 9113, section 3.4).
    public var isGreeted: Bool { state.isGreeted }

    /// Streams that the other side takes at once (RFC 9113, section 6.5.2).
    public var streamLimit: Int {
        Int(nghttp2_session_get_remote_settings(session, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS))
    }

    /// Nothing more will come or has to be sent.
    public var isOver: Bool {
        state.fault != nil
            || pending.isEmpty && nghttp2_session_want_read(session) == 0
                && nghttp2_session_want_write(session) == 0
    }

    /// Begins a request.
    ///
    /// - Parameters:
    ///   - head: pseudo-header fields first.
    ///   - endsStream: whether it has no body; otherwise `send` brings it.
    public func open(_ head: [HTTP2Field], endsStream: Bool) throws(HTTP2Fault) -> HTTP2StreamID {
        if let fault = state.fault { throw fault }
        guard canOpen else { throw HTTP2Fault("it takes no more requests on this connection") }
        // The library takes pointers: all names and values lie one after the other in one array.
        var bytes: [UInt8] = []
        for field in head {
            let (name, value) = (Array(field.name.utf8), Array(field.value.utf8))
            guard nghttp2_check_header_name(name, name.count) != 0,
                nghttp2_check_header_value_rfc9113(value, value.count) != 0
            else { throw HTTP2Fault("a header field has a character that it may not have") }
            bytes += name + value
        }
        let result = bytes.withUnsafeMutableBufferPointer { bytes -> Int32 in
            var offset = 0
            func take(_ count: Int) -> UnsafeMutablePointer<UInt8>? {
                defer { offset += count }
                return bytes.baseAddress.map { $0 + offset }
            }
            let pairs = head.map { field in
                let (name, value) = (field.name.utf8.count, field.value.utf8.count)
                return nghttp2_nv(name: take(name), value: take(value), namelen: name, valuelen: value, flags: 0)
            }
            if endsStream { return nghttp2_submit_request(session, nil, pairs, pairs.count, nil, nil) }
            var body = nghttp2_data_provider(
                source: nghttp2_data_source(), read_callback: HTTP2SessionState.readBody)
            return nghttp2_submit_request(session, nil, pairs, pairs.count, &body, nil)
        }
        try check(result)
        state.streams[result] = HTTP2SessionState.Stream()
        return result
    }

    /// Adds to the body of a request.
    ///
    /// - Throws: also if more would wait than the limits allow: `unsent` tells how much does.
    public func send(_ bytes: [UInt8], on stream: HTTP2StreamID, endsStream: Bool) throws(HTTP2Fault) {
        if let fault = state.fault { throw fault }
        guard state.streams[stream] != nil else { throw HTTP2Fault("the stream is over") }
        guard unsent(on: stream) + bytes.count <= limits.unsent else {
            throw HTTP2Fault("it takes the request too slowly")
        }
        if let sent = state.streams[stream]?.sent, sent > 0 {
            // Or a body of any length would be kept to its end.
            state.streams[stream]?.body.removeFirst(sent)
            state.streams[stream]?.sent = 0
        }
        state.streams[stream]?.body += bytes
        if endsStream { state.streams[stream]?.isBodyComplete = true }
        if state.streams[stream]?.isBodyAwaited == true {
            state.streams[stream]?.isBodyAwaited = false
            try check(nghttp2_session_resume_data(session, stream))
        }
    }

    /// Bytes of a request's body that have not become frames.
    public func unsent(on stream: HTTP2StreamID) -> Int { state.streams[stream].map { $0.body.count - $0.sent } ?? 0 }

    /// Lets the other side send as much again; also for what came on a stream that is over.
    public func consume(_ count: Int, on stream: HTTP2StreamID) throws(HTTP2Fault) {
        if let fault = state.fault { throw fault }
        // No more than came, or the windows would grow.
        let count = min(count, state.unconsumed)
        if count <= 0 { return }
        state.unconsumed -= count
        try check(nghttp2_session_consume(session, stream, count))
    }

    /// Opens the window of the connection alone for what came: a stream that is consumed slowly, with `consumeOnStream`, does
    /// not stop the others then, and what is buffered is bounded by the windows of all streams.
    public func consumeOnConnection(_ count: Int) throws(HTTP2Fault) {
        if let fault = state.fault { throw fault }
        let count = min(count, state.unconsumed)
        if count <= 0 { return }
        state.unconsumed -= count
        try check(nghttp2_session_consume_connection(session, count))
    }

    /// Opens the window of a stream for what was already consumed on the connection.
    public func consumeOnStream(_ count: Int, on stream: HTTP2StreamID) throws(HTTP2Fault) {
        if let fault = state.fault { throw fault }
        if count > 0 { try check(nghttp2_session_consume_stream(session, stream, count)) }
    }

    /// Asks the other side whether it is there: the answer is bytes that come.
    public func ping() throws(HTTP2Fault) {
        if let fault = state.fault { throw fault }
        try check(nghttp2_submit_ping(session, 0, nil))
    }

    /// Ends a stream from this side: nothing more is told of it. `CANCEL` says that the answer is no longer wanted.
    public func cancel(_ stream: HTTP2StreamID) throws(HTTP2Fault) {
        if let fault = state.fault { throw fault }
        guard state.streams.removeValue(forKey: stream) != nil else { return }
        try check(nghttp2_submit_rst_stream(session, 0, stream, NGHTTP2_CANCEL.rawValue))
        // From here on the library drops what still comes, and opens the connection's window for it.
        pump()
    }

    /// Takes bytes that came from the network.
    ///
    /// - Parameter now: for the frames that are allowed in a second.
    public func receive(
        _ bytes: UnsafeRawBufferPointer, at now: ContinuousClock.Instant = .now
    ) throws(HTTP2Fault) -> [HTTP2Event] {
        if let fault = state.fault { throw fault }
        meter.earn(state.earned)
        state.earned = 0
        do throws(HTTP2Fault) { try meter.pass(bytes, at: now) } catch { fail(error) }
        if state.fault == nil {
            let taken = bytes.withMemoryRebound(to: UInt8.self) {
                nghttp2_session_mem_recv(session, $0.baseAddress, $0.count)
            }
            if taken < 0 { fail(HTTP2Fault(library: taken)) }
            pump()
        }
        if let fault = state.fault { throw fault }
        defer { state.events = [] }
        return state.events
    }

    /// What is to be sent to the network now.
    public func output() -> [UInt8] {
        pump()
        defer { pending = [] }
        return pending
    }

    /// Makes frames of what waits.
    private func pump() {
        // After a fault of the library's own it must not be asked again.
        while state.fault == nil {
            var start: UnsafePointer<UInt8>?
            let count = nghttp2_session_mem_send(session, &start)
            if count < 0 { fail(HTTP2Fault(library: count)) }
            guard count > 0, let start else { return }
            pending += UnsafeBufferPointer(start: start, count: count)
        }
    }

    private func fail(_ fault: HTTP2Fault) { if state.fault == nil { state.fault = fault } }

    private func check(_ result: Int32) throws(HTTP2Fault) {
        if result < 0 { throw HTTP2Fault(library: Int(result)) }
    }

    private static func make(_ state: HTTP2SessionState) throws(HTTP2Fault) -> OpaquePointer {
        var callbacks: OpaquePointer?
        var option: OpaquePointer?
        var session: OpaquePointer?
        guard nghttp2_session_callbacks_new(&callbacks) == 0, nghttp2_option_new(&option) == 0 else {
            throw HTTP2Fault("there is no memory for a connection")
        }
        defer {
            nghttp2_session_callbacks_del(callbacks)
            nghttp2_option_del(option)
        }
        HTTP2SessionState.setCallbacks(callbacks)
        nghttp2_option_set_no_auto_window_update(option, 1)
        nghttp2_option_set_no_closed_streams(option, 1)
        nghttp2_option_set_max_outbound_ack(option, 1000)
        // The session lives no longer than the state: both belong to one object.
        let user = Unmanaged.passUnretained(state).toOpaque()
        guard nghttp2_session_client_new2(&session, callbacks, user, option) == 0, let session else {
            throw HTTP2Fault("there is no memory for a connection")
        }
        return session
    }
}
