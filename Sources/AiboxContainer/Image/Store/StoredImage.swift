public import AiboxSystem
import AiboxWire

/// An image in podman's or Docker's storage.
public struct StoredImage: Sendable, Equatable {
    /// The name it was asked for by, or its first name.
    public var reference: String
    /// 64 hexadecimal digits: what a container is started from, for a name may be moved to another image.
    public var id: String
    /// The digest of its manifest; nil for an image that podman built without one, and for Docker's.
    public var digest: ImageDigest?
    public var labels: [String: String]
    public var created: Timestamp?
    /// Bytes.
    public var size: Int
    /// The digest of each layer's archive, the lowest first.
    var layers: [ImageDigest] = []
    /// The file in which podman's storage keeps the names and ids of its images, which is replaced with every change
    /// (containers/storage, images.go); nil if the image does not tell where its storage is.
    var catalogue: String?

    /// The name of the recipe it was built from, nil for an image from elsewhere.
    public var recipe: String? { labels[ImageLabel.name] }

    /// True if it was built from exactly this recipe, whatever the package versions.
    public func isBuilt(from recipe: ImageRecipe) throws(AiboxError) -> Bool {
        labels[ImageLabel.recipe] == (try ImageDigest.of(recipe.canonicalText)).hexadecimal
    }
}

extension StoredImage {
    /// Reads one element of `podman image inspect` or `docker image inspect`.
    init?(inspected json: JSONValue, reference: String?) {
        guard let id = json["Id"]?.stringValue else { return nil }
        let names = json["RepoTags"]?.elements?.compactMap(\.stringValue) ?? []
        self.reference = reference ?? names.sorted().first ?? id
        // Docker says sha256: before it.
        self.id = id.split(separator: ":").last.map(String.init) ?? id
        digest = json["Digest"]?.stringValue.flatMap { ImageDigest($0) }
        labels = Self.texts(json["Labels"] ?? json["Config"]?["Labels"])
        created = json["Created"]?.stringValue.flatMap { Timestamp(rfc3339: $0) }
        size = json["Size"]?.wholeNumber.flatMap { Int(exactly: $0) } ?? 0
        layers = json["RootFS"]?["Layers"]?.elements?.compactMap { $0.stringValue.flatMap { ImageDigest($0) } } ?? []
        catalogue = Self.catalogue(json["GraphDriver"]?["Data"]?["UpperDir"]?.stringValue)
    }

    private static func catalogue(_ upper: String?) -> String? {
        guard let upper, upper.hasSuffix("/diff") else { return nil }
        let file = Path.parent(Path.parent(Path.parent(upper))) + "/overlay-images/images.json"
        return File.exists(file) ? file : nil
    }

    /// The members of an object that are texts.
    private static func texts(_ json: JSONValue?) -> [String: String] {
        guard case .object(let object)? = json else { return [:] }
        var result: [String: String] = [:]
        for member in object.members { result[member.name] = member.value.stringValue }
        return result
    }
}
