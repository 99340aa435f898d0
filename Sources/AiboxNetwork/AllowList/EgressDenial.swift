/// A refusal, in the words that the agent and the audit log get.
public struct EgressDenial: Error, Sendable, Equatable {
    /// Stable codes; they stand in audit records.
    public enum Code: String, Sendable, CaseIterable {
        case hostNotAllowed = "host_not_allowed"
        case hostDenied = "host_denied"
        case portNotAllowed = "port_not_allowed"
        case schemeNotAllowed = "scheme_not_allowed"
        case methodNotAllowed = "method_not_allowed"
        case pathNotAllowed = "path_not_allowed"
        case pathAmbiguous = "path_ambiguous"
        case addressLiteral = "address_literal"
        case invalidName = "invalid_name"
        case privateTarget = "private_target"
        case nameNotResolved = "name_not_resolved"
        case hostMismatch = "host_mismatch"
        case sniMismatch = "sni_mismatch"
        case sniMissing = "sni_missing"
        case encryptedHello = "encrypted_client_hello"
        case notTLS = "non_tls"
        case malformed = "malformed_request"
        case rateLimited = "rate_limited"
        case tooManyConnections = "too_many_connections"
        case uploadTooLarge = "upload_too_large"
        case generationChanged = "policy_tightened"
        case unavailable = "gateway_unavailable"
        case policyRefused = "policy_refused"
        case credentialElsewhere = "credential_elsewhere"
    }

    /// The rule of what no entry allows.
    public static let defaultRule = "default-deny"

    public var code: Code
    /// The rule that decided; `default-deny` where none allowed.
    public var rule: String
    public var layer: String
    public var reason: String
    public var nextSteps: [String]
    /// The stand-in for a credential that the request carries.
    public var surrogate: Surrogate?

    public init(
        _ code: Code, rule: String = Self.defaultRule, layer: String = "org", reason: String, nextSteps: [String] = []
    ) {
        self.code = code
        self.rule = rule
        self.layer = layer
        self.reason = reason
        self.nextSteps = nextSteps
    }

    /// The body of the answer: `{error, rule, layer, reason, next_steps}`.
    public var json: String {
        let steps = nextSteps.map(Self.quoted).joined(separator: ",")
        return "{\"error\":\(Self.quoted(code.rawValue)),\"rule\":\(Self.quoted(rule)),\"layer\":\(Self.quoted(layer)),"
            + "\"reason\":\(Self.quoted(reason)),\"next_steps\":[\(steps)]}\n"
    }

    /// The HTTP status of the answer: 400 for what could not be read, 429 for limits, else 403.
    public var status: Int {
        switch code {
        case .malformed: 400
        case .rateLimited, .tooManyConnections: 429
        case .uploadTooLarge: 413
        case .nameNotResolved: 502
        case .unavailable: 503
        default: 403
        }
    }

    /// RFC 8259 section 7, everything beyond printable ASCII escaped.
    private static func quoted(_ text: String) -> String {
        var result = "\""
        for unit in text.utf16 {
            switch unit {
            case 0x22: result += "\\\""
            case 0x5C: result += "\\\\"
            case 0x20...0x7E: result.unicodeScalars.append(Unicode.Scalar(UInt8(unit)))
            default:
                let digits = String(unit, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            }
        }
        return result + "\""
    }
}
