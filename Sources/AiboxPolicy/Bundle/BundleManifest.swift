import AiboxSystem
import AiboxWire

/// `.manifest` of a bundle: OPA's members, and under `metadata.aibox` what aibox asks for.
struct BundleManifest: Sendable, Equatable {
    var revision: String
    /// Paths of `data` that the bundle owns; the packages of its Rego lie below them.
    var roots: [String]
    var layer: PolicyLayer
    var version: Int64
    var expires: Timestamp

    static let fileName = ".manifest"

    init(_ json: JSONValue) throws(BundleFault) {
        guard case .object(let object) = json else { throw BundleFault("its manifest is no object") }
        for member in object.members
        where !["revision", "roots", "metadata", "rego_version"].contains(member.name) {
            throw BundleFault("its manifest has a member that aibox does not know: \(member.name.prefix(80))")
        }
        if let version = object["rego_version"], version != .integer(1) {
            throw BundleFault("its Rego is of another version than 1")
        }
        revision = object["revision"]?.stringValue ?? ""
        if object["revision"] != nil, object["revision"]?.stringValue == nil || revision.utf8.count > 256 {
            throw BundleFault("its revision is no short text")
        }
        roots = try Self.roots(object["roots"])
        guard case .object(let own)? = object["metadata"]?["aibox"] else {
            throw BundleFault("its manifest has no metadata.aibox with layer, version and expires")
        }
        for member in own.members where !["layer", "version", "expires"].contains(member.name) {
            throw BundleFault("its manifest has a member that aibox does not know: \(member.name.prefix(80))")
        }
        guard let layer = own["layer"]?.stringValue.flatMap({ PolicyLayer(rawValue: $0) }), layer != .project else {
            throw BundleFault("metadata.aibox.layer is neither org nor team")
        }
        guard let version = own["version"]?.wholeNumber, (1...Self.largestVersion).contains(version) else {
            throw BundleFault("metadata.aibox.version is no whole number from 1")
        }
        guard let expires = own["expires"]?.stringValue.flatMap({ Timestamp(rfc3339: $0) }) else {
            throw BundleFault("metadata.aibox.expires is no moment such as 2027-01-31T00:00:00Z")
        }
        self.layer = layer
        self.version = version
        self.expires = expires
    }

    /// What every JSON reader takes exactly (RFC 8259, section 6).
    private static let largestVersion: Int64 = 1 << 53 - 1

    private static func roots(_ json: JSONValue?) throws(BundleFault) -> [String] {
        guard let json else { return [""] }
        let texts = json.elements?.map(\.stringValue) ?? [nil]
        guard !texts.contains(nil) else { throw BundleFault("its roots are no list of texts") }
        return texts.compactMap { $0 }
    }

    /// Whether a package, `aibox.org.night`, lies below one of the roots.
    func owns(package: String) -> Bool {
        let path = package.replacing(".", with: "/")
        return roots.contains { root in
            let root = root.drop { $0 == "/" }
            return root.isEmpty || path == root || path.hasPrefix(root + "/")
        }
    }
}
