import AiboxCrypto
public import AiboxSystem
import AiboxWire

/// A signed token that names a workload (github.com/spiffe/spiffe, standards/JWT-SVID.md), checked: it exists only if everything holds.
public struct JWTSVID: Sendable {
    public let id: SpiffeID
    public let expires: Timestamp
    /// What whoever holds it can show as the workload's.
    public let token: Secret

    /// - Parameters:
    ///   - named: the SPIFFE ID that the Workload API gave with it.
    ///   - bundles: the JWK Sets by the SPIFFE IDs of their trust domains.
    /// - Throws: if anything in it is not as the standard has it, or it is not for this workload, audience and time.
    init(
        _ text: String, named name: String, audience: String, bundles: [String: [UInt8]], now: Timestamp
    ) throws(AiboxError) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard text.utf8.count <= Secret.longest, parts.count == 3, let header = Self.object(parts[0]),
            let claims = Self.object(parts[1]), let signature = Base64.decodeURL(parts[2])
        else { throw Self.unfit("it is no signed JWT") }
        // Section 2: these and no others.
        for member in header.members where !["alg", "kid", "typ"].contains(member.name) {
            throw Self.unfit("its header has the member \(SafeText.escaped(String(member.name.prefix(40))))")
        }
        guard let algorithm = header["alg"]?.stringValue.flatMap(JWSAlgorithm.init) else {
            throw Self.unfit("its algorithm is none that a JWT-SVID may have")
        }
        if let type = header["typ"], !["JWT", "JOSE"].contains(type.stringValue) {
            throw Self.unfit("its header says that it is something else")
        }
        do throws(AiboxError) { id = try SpiffeID(workload: claims["sub"]?.stringValue ?? "") } catch {
            throw Self.unfit(error.reason)
        }
        guard id.description == name else { throw Self.unfit("it names another workload than the Workload API does") }
        let audiences = claims["aud"].map { $0.elements ?? [$0] } ?? []
        guard audiences.contains(.string(audience)) else { throw Self.unfit("it is not for \(audience)") }
        guard let seconds = Self.seconds(claims["exp"]) else { throw Self.unfit("it does not say when it expires") }
        expires = Timestamp(seconds: seconds)
        guard now < expires else { throw Self.unfit("it has expired") }
        // Clocks differ.
        if let from = claims["nbf"], Self.seconds(from).map({ $0 > now.seconds + 60 }) ?? true {
            throw Self.unfit("it is not valid yet")
        }
        guard let bundle = bundles["spiffe://" + id.trustDomain] else {
            throw Self.unfit("the Workload API has no keys of \(id.trustDomain)")
        }
        let keyName = header["kid"]?.stringValue
        if header["kid"] != nil, keyName == nil { throw Self.unfit("its header's kid is no text") }
        let signed = Array(text.utf8.prefix(parts[0].utf8.count + 1 + parts[1].utf8.count))
        let keys: [JWTBundle.Key]
        do throws(AiboxError) { keys = try JWTBundle(bundle).keys } catch { throw Self.unfit(error.reason) }
        for key in keys where keyName == nil || key.name == keyName {
            if try key.key.isValid(signature, of: signed, algorithm: algorithm) {
                token = try Secret(text)
                return
            }
        }
        throw Self.unfit("no key of \(id.trustDomain) signed it")
    }

    private static func object(_ part: Substring) -> JSONObject? {
        guard let bytes = Base64.decodeURL(part),
            case .object(let object)? = try? JSONParser.parse(bytes, limits: .init(size: Secret.longest))
        else { return nil }
        return object
    }

    /// A NumericDate (RFC 7519, section 2), rounded down.
    private static func seconds(_ value: JSONValue?) -> Int64? {
        switch value {
        case .integer(let seconds): seconds
        case .number(let seconds) where seconds.magnitude < 1e15: Int64(seconds.rounded(.down))
        default: nil
        }
    }

    private static func unfit(_ why: String) -> AiboxError {
        AiboxError(.integrity, "the Workload API gave a JWT-SVID that cannot be trusted", why: why)
    }
}
