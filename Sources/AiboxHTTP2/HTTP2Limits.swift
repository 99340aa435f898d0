/// What one connection may take up, whatever the other side sends.
public struct HTTP2Limits: Sendable {
    /// Bytes of a head or of trailers, counted as RFC 9113, section 6.5.2 says; a larger one ends its stream.
    public var fields = 32 << 10
    /// Bytes of a body that the other side may send before they are consumed: of one stream, and of all together.
    public var streamWindow: Int32 = 256 << 10
    public var connectionWindow: Int32 = 1 << 20
    /// Bytes of one's own body that may wait for the other side to open its window.
    public var unsent = 1 << 20
    /// Frames without a part of an answer in them (SETTINGS, PING, empty DATA, what nobody knows, ...) at once, and how many
    /// a second go on top of that, beside those that answer what was sent. More end the connection.
    public var idleFrames = 1000
    public var idleFramesPerSecond = 10

    public init() {}
}
