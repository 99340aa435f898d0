import AiboxCrypto
import AiboxSystem
import AiboxWire

/// `.signatures.json` of a bundle: one JSON Web Signature (RFC 7515, compact) over the names and hashes of all files
/// (OPA, "Signature Format").
struct BundleSignature {
    /// Hash by name.
    private(set) var hashes: [String: String] = [:]
    let key: BundleKey
    /// When the signature itself ends (`exp`).
    private(set) var expires: Timestamp?
    private(set) var notBefore: Timestamp?

    static let fileName = ".signatures.json"

    /// Reads the one signature and finds the key that made it. What a header says chooses nothing: the algorithm is that of
    /// the key, and each key is tried.
    init(_ file: BundleFile, keys: [BundleKey], layer: PolicyLayer) throws {
        let token = try Self.token(try BundleHash.parse(file))
        let parts = token.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3, let header = Self.document(parts[0]), let signature = Base64.decodeURL(parts[2]) else {
            throw BundleFault("its signature is no JSON Web Signature")
        }
        guard let name = header["alg"]?.stringValue, let algorithm = BundleKey.Algorithm(rawValue: name) else {
            let name = header["alg"]?.stringValue ?? "nothing"
            throw BundleFault(
                "its signature is made with \(SafeText.escaped(String(name.prefix(40)))), not EdDSA or ES256")
        }
        if header["crit"] != nil { throw BundleFault("its signature asks for more than is known here (crit)") }
        let message = Array("\(parts[0]).\(parts[1])".utf8)
        let signer = try keys.first {
            try $0.algorithm == algorithm && $0.hasSigned(message, jose: signature)
        }
        guard let signer else { throw BundleFault("none of the configured keys has signed it") }
        key = signer
        guard let payload = Self.document(parts[1]) else { throw BundleFault("what was signed is no JSON") }
        try read(payload, layer)
    }

    private static func token(_ json: JSONValue) throws(BundleFault) -> String {
        guard case .object(let object) = json, let list = object["signatures"]?.elements,
            object.members.allSatisfy({ $0.name == "signatures" || $0.name == "plugin" }),
            object["plugin"].map({ $0 == "_default" || $0 == "" }) ?? true
        else { throw BundleFault("\(fileName) is not of OPA's form") }
        guard list.count == 1, let token = list[0].stringValue else {
            throw BundleFault("\(fileName) holds \(list.count) signatures, not one")
        }
        return token
    }

    private static func document(_ part: Substring) -> JSONValue? {
        guard let bytes = Base64.decodeURL(part), let json = try? JSONParser.parse(bytes), case .object = json else {
            return nil
        }
        return json
    }

    private mutating func read(_ payload: JSONValue, _ layer: PolicyLayer) throws(BundleFault) {
        if let scope = payload["scope"], scope != "", scope != .string(layer.rawValue) {
            throw BundleFault("its signature is for another scope than \(layer.rawValue)")
        }
        expires = try Self.moment("exp", payload)
        notBefore = try Self.moment("nbf", payload)
        guard let files = payload["files"]?.elements else { throw BundleFault("its signature names no files") }
        for file in files {
            guard let name = file["name"]?.stringValue, let hash = file["hash"]?.stringValue else {
                throw BundleFault("its signature names a file without a hash")
            }
            guard file["algorithm"]?.stringValue == BundleHash.algorithm else {
                throw BundleFault("its signature names a file by another hash than \(BundleHash.algorithm)")
            }
            let path = name.hasPrefix("/") ? String(name.dropFirst()) : name
            guard hashes.updateValue(hash.lowercased(), forKey: path) == nil else {
                throw BundleFault("its signature names a file twice")
            }
        }
    }

    private static func moment(_ name: String, _ payload: JSONValue) throws(BundleFault) -> Timestamp? {
        guard let value = payload[name] else { return nil }
        guard let seconds = value.wholeNumber, seconds >= 0 else {
            throw BundleFault("\(name) of its signature is no time")
        }
        return Timestamp(seconds: seconds)
    }

    /// Refuses files that were changed, added or taken away.
    func check(_ files: [BundleFile]) throws {
        var left = hashes
        for file in files where file.name != Self.fileName {
            guard let hash = left.removeValue(forKey: file.name) else {
                throw BundleFault("\(file.name) is not among what was signed")
            }
            guard try BundleHash.of(file) == hash else { throw BundleFault("\(file.name) is not what was signed") }
        }
        if let missing = left.keys.sorted().first {
            throw BundleFault("\(SafeText.escaped(String(missing.prefix(80)))) was signed and is missing")
        }
    }
}
