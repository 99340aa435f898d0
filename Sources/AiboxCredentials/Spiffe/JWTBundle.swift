import AiboxCrypto
import AiboxSystem
import AiboxWire

/// The keys that sign a trust domain's JWT-SVIDs: a JWK Set (RFC 7517; standards/SPIFFE_Workload_API.md, section 6.2.2).
struct JWTBundle {
    struct Key {
        /// `kid`.
        var name: String?
        var key: PublicKey
    }

    /// Those that aibox can use: entries of other kinds and uses are left out.
    let keys: [Key]

    /// - Throws: if the bytes are no JWK Set.
    init(_ bytes: [UInt8]) throws(AiboxError) {
        guard let document = try? JSONParser.parse(bytes, limits: .init(size: 1 << 20)),
            let entries = document["keys"]?.elements, entries.count <= 256
        else { throw AiboxError(.failed, "cannot read a bundle of the Workload API", why: "it is no JWK Set") }
        keys = entries.compactMap { entry in
            // A SPIFFE bundle marks each key with its use, a plain JWK Set need not.
            if let use = entry["use"], !["jwt-svid", "sig"].contains(use.stringValue) { return nil }
            guard let key = Self.key(entry) else { return nil }
            return Key(name: entry["kid"]?.stringValue, key: key)
        }
    }

    private static func key(_ entry: JSONValue) -> PublicKey? {
        func number(_ name: String) -> [UInt8]? { entry[name]?.stringValue.flatMap { Base64.decodeURL($0) } }
        switch entry["kty"]?.stringValue {
        case "RSA":
            guard let modulus = number("n"), let exponent = number("e") else { return nil }
            return try? PublicKey(rsaModulus: modulus, exponent: exponent)
        case "EC":
            guard let curve = entry["crv"]?.stringValue, let x = number("x"), let y = number("y") else { return nil }
            return try? PublicKey(curve: curve, x: x, y: y)
        default: return nil
        }
    }
}
