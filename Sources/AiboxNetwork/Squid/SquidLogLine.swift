/// One line of Squid's access log in the format that `SquidConfiguration` asks for.
///
/// Fields are separated by one space, foreign text is percent-escaped by Squid (`%#`), an absent value
/// is `-` (squid.conf, `logformat`).
public struct SquidLogLine: Sendable, Equatable {
    /// The `logformat` directive's value. The first word names the version of the layout.
    public static let format =
        "aibox2 %ts.%03tu %tr %Ss %03>Hs %>st %<st %rm %#ru %#ssl::>sni %ssl::bump_mode %<a %err_code "
        + "%>p %{\(ICAPAnswer.eventField)}adapt::<last_h"

    /// Milliseconds since 1970-01-01T00:00:00Z at which the request ended.
    public var time: Int64
    /// Milliseconds from the first byte of the request to the last of the answer.
    public var duration: Int64
    /// Squid's word for what it did: `TCP_TUNNEL`, `TCP_DENIED`, `NONE_NONE`.
    public var result: String
    /// HTTP status that the client got; 0 for none.
    public var status: Int
    public var bytesReceived: Int64
    public var bytesSent: Int64
    /// nil for what was no request.
    public var method: String?
    public var url: String?
    public var serverName: String?
    /// `splice`, `bump`, `terminate`, `peek`; nil outside TLS.
    public var bumpMode: String?
    /// The address that was connected to.
    public var server: IPAddress?
    /// `ERR_ACCESS_DENIED`, `ERR_DNS_FAIL`, ...
    public var error: String?
    /// The port that the gateway connected from: it tells which connection this belongs to.
    public var clientPort: UInt16
    /// What the gateway said when it was asked about this request (`ICAPAnswer`); nil where it was not.
    public var event: String?

    public enum Failure: Error, Sendable, Equatable {
        case tooLong, layout, field(Int)
    }

    /// - Parameter bytes: a line without its line feed, at most 64 KiB.
    public init(_ bytes: ArraySlice<UInt8>) throws(Failure) {
        if bytes.count > 64 << 10 { throw .tooLong }
        for byte in bytes where !(0x20...0x7E).contains(byte) { throw .layout }
        let words = bytes.split(separator: 0x20, omittingEmptySubsequences: false).map {
            String(decoding: $0, as: UTF8.self)
        }
        guard words.count == 15, words[0] == "aibox2", !words.contains("") else { throw .layout }
        let clock = words[1].split(separator: ".", omittingEmptySubsequences: false)
        guard clock.count == 2, clock[1].utf8.count == 3, let seconds = Self.number(clock[0]),
            let milliseconds = Self.number(clock[1]), seconds < 1 << 40
        else { throw .field(1) }
        time = seconds * 1000 + milliseconds
        duration = try Self.number(words, 2)
        result = words[3]
        guard let status = Self.number(words[4][...]), status < 1000 else { throw .field(4) }
        self.status = Int(status)
        bytesReceived = try Self.number(words, 5)
        bytesSent = try Self.number(words, 6)
        method = Self.optional(words[7])
        url = try Self.decoded(words, 8)
        serverName = try Self.decoded(words, 9)
        bumpMode = Self.optional(words[10])
        server = Self.optional(words[11]).flatMap { IPAddress($0) }
        error = Self.optional(words[12])
        guard let port = Self.number(words[13][...]).flatMap({ UInt16(exactly: $0) }) else { throw .field(13) }
        clientPort = port
        event = Self.optional(words[14])
    }

    /// True if Squid refused, ended the tunnel, or could not reach the server.
    public var isRefused: Bool {
        result.hasPrefix("TCP_DENIED") || bumpMode == "terminate" || (error.map { $0 != "NONE" } ?? false)
    }

    /// True for what Squid answered with an error of its own, since it could not read it as a request of HTTP/1: in a tunnel that
    /// it has opened, the sandbox writes what it likes. A status of 0 is the end of a connection.
    public var isUnreadable: Bool { result.hasPrefix("NONE") && status >= 400 && method != "CONNECT" }

    private static func number(_ text: Substring) -> Int64? {
        guard (1...18).contains(text.utf8.count), text.utf8.allSatisfy(\.isASCIIDigit) else { return nil }
        return Int64(text)
    }

    private static func number(_ words: [String], _ index: Int) throws(Failure) -> Int64 {
        guard let value = number(words[index][...]) else { throw .field(index) }
        return value
    }

    private static func optional(_ word: String) -> String? { word == "-" ? nil : word }

    /// Undoes one level of percent escapes; what is no UTF-8 afterwards becomes U+FFFD.
    private static func decoded(_ words: [String], _ index: Int) throws(Failure) -> String? {
        guard let word = optional(words[index]) else { return nil }
        var bytes: [UInt8] = []
        var rest = word.utf8[...]
        while let byte = rest.popFirst() {
            if byte != UInt8(ascii: "%") {
                bytes.append(byte)
                continue
            }
            guard let high = rest.popFirst()?.hexDigitValue, let low = rest.popFirst()?.hexDigitValue else {
                throw .field(index)
            }
            bytes.append(high << 4 | low)
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
