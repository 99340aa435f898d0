/// Counts frames as they come by (RFC 9113, section 4.1), before anybody looks into them: what they cost does not depend on whether
/// they are understood, ignored or refused.
struct HTTP2FrameMeter {
    private let limits: HTTP2Limits
    private var head: [UInt8] = []
    /// Of the frame that is coming by.
    private var payload = 0
    /// Bytes of a HEADERS frame and the CONTINUATIONs after it.
    private var chain = 0
    private var idleFrames: Int
    private var refilled: ContinuousClock.Instant?

    init(_ limits: HTTP2Limits) {
        self.limits = limits
        idleFrames = limits.idleFrames
    }

    /// - Throws: if there are more frames that carry nothing, or longer heads, than the limits allow.
    mutating func pass(_ bytes: UnsafeRawBufferPointer, at now: ContinuousClock.Instant) throws(HTTP2Fault) {
        refill(at: now)
        var offset = 0
        while offset < bytes.count {
            if payload > 0 {
                let count = min(payload, bytes.count - offset)
                payload -= count
                offset += count
                continue
            }
            head.append(bytes[offset])
            offset += 1
            if head.count == 9 {
                try begin(length: Int(head[0]) << 16 | Int(head[1]) << 8 | Int(head[2]), type: head[3])
                head.removeAll(keepingCapacity: true)
            }
        }
    }

    private mutating func begin(length: Int, type: UInt8) throws(HTTP2Fault) {
        payload = length
        // A part of a body is what windows are for.
        let isData = type == 0 && length > 0
        if !isData { idleFrames -= 1 }
        if idleFrames < 0 { throw HTTP2Fault("it sends too many frames that say nothing") }
        let continuation: UInt8 = 9
        chain = type == continuation ? chain + length : length
        if !isData, type <= continuation, chain > 4 * max(limits.fields, 16_384) {
            throw HTTP2Fault("it sends a head without end")
        }
    }

    /// Lets so many frames more pass: they answer what was sent.
    mutating func earn(_ frames: Int) { idleFrames += frames }

    private mutating func refill(at now: ContinuousClock.Instant) {
        guard let last = refilled, last <= now else {
            refilled = now
            return
        }
        let seconds = (now - last).components.seconds
        if seconds == 0 { return }
        refilled = last + .seconds(seconds)
        let more = idleFrames + limits.idleFramesPerSecond * Int(min(seconds, 1 << 20))
        // What was earned beyond the limit stays.
        idleFrames = max(idleFrames, min(limits.idleFrames, more))
    }
}
