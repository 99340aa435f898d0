public import AiboxSystem

/// Where in a request a credential stands.
public enum CredentialPlace: Sendable, Hashable, CustomStringConvertible {
    /// `Authorization: Basic` (RFC 7617), as the password.
    case basic
    /// `Authorization: Bearer` (RFC 6750).
    case bearer
    /// A header of its own, alone; its name in lower case.
    case header(String)

    /// - Parameter text: `basic`, `bearer` or `header:NAME`.
    public init(_ text: String) throws(AiboxError) {
        switch text {
        case "basic": self = .basic
        case "bearer": self = .bearer
        default:
            guard text.hasPrefix("header:") else {
                throw AiboxError(
                    .usage, "there is no such place in a request", remedy: "basic, bearer or header:NAME")
            }
            let name = String(text.dropFirst("header:".count)).lowercased()
            guard !name.isEmpty, name.utf8.count <= 64, name.utf8.allSatisfy(Self.isToken) else {
                throw AiboxError(.usage, "this is no name of a header")
            }
            if Self.reserved.contains(name) {
                throw AiboxError(.usage, "\(name) is no header for a credential", why: "it steers the request itself")
            }
            self = .header(name)
        }
    }

    /// RFC 9110, section 5.6.2, in lower case.
    private static func isToken(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x61...0x7a: true
        default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
        }
    }

    private static let reserved: Set<String> = [
        "authorization", "connection", "content-length", "content-type", "expect", "host", "keep-alive",
        "proxy-authorization", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade",
    ]

    /// The header's name, in lower case.
    public var headerName: String {
        switch self {
        case .basic, .bearer: "authorization"
        case .header(let name): name
        }
    }

    public var description: String {
        switch self {
        case .basic: "basic"
        case .bearer: "bearer"
        case .header(let name): "header:" + name
        }
    }
}
