import AiboxHTTP2
import AiboxSystem

/// How a call ended (gRPC's PROTOCOL-HTTP2.md, "Responses", and its list of status codes), also where the server said nothing: each
/// failure of the connection has a code of its own there.
struct GRPCStatus: Error, Equatable {
    enum Code: Int {
        case ok, cancelled, unknown, invalidArgument, deadlineExceeded, notFound, alreadyExists, permissionDenied
        case resourceExhausted, failedPrecondition, aborted, outOfRange, unimplemented, `internal`, unavailable
        case dataLoss, unauthenticated
    }

    var code: Code
    /// Safe to be shown.
    var message: String

    init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    /// What trailers, or a head without a body, say; nil if they say nothing.
    init?(fields: [HTTP2Field]) {
        guard let text = fields["grpc-status"] else { return nil }
        code = text.utf8.count <= 2 ? Int(text).flatMap(Code.init) ?? .unknown : .unknown
        message = Self.decoded(fields["grpc-message"] ?? "")
    }

    /// For an answer that is none of gRPC's (gRPC's http-grpc-status-mapping.md).
    init(http status: String) {
        let code: Code =
            switch status {
            case "400": .internal
            case "401": .unauthenticated
            case "403": .permissionDenied
            case "404": .unimplemented
            case "429", "502", "503", "504": .unavailable
            default: .unknown
            }
        self.init(code, "it answered with HTTP status \(SafeText.escaped(String(status.prefix(8))))")
    }

    /// For a stream that was reset (PROTOCOL-HTTP2.md, "HTTP2 Transport Mapping", "Errors").
    init(reset code: UInt32, _ why: String) {
        let mapped: Code =
            switch code {
            case 7: .unavailable
            case 8: .cancelled
            case 11: .resourceExhausted
            case 12: .permissionDenied
            default: .internal
            }
        self.init(mapped, why)
    }

    /// Percent-encoding undone; what is none stays as it is (PROTOCOL-HTTP2.md, "Status-Message").
    static func decoded(_ text: String) -> String {
        let bytes = Array(text.utf8.prefix(1000))
        var result: [UInt8] = []
        var index = 0
        while index < bytes.count {
            let digits = bytes[index...].dropFirst().prefix(2)
            if bytes[index] == UInt8(ascii: "%"), digits.count == 2,
                let value = UInt8(String(decoding: digits, as: UTF8.self), radix: 16), digits.first != UInt8(ascii: "+")
            {
                result.append(value)
                index += 3
            } else {
                result.append(bytes[index])
                index += 1
            }
        }
        return SafeText.escaped(String(String(decoding: result, as: UTF8.self).prefix(300)))
    }
}
