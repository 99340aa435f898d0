public import AiboxConfig
public import AiboxSystem
import AiboxWire

/// The images on this machine: podman's storage, or Docker's, asked with one call each.
public struct ImageStore: Sendable {
    let podman: Podman
    /// Where answers of podman are kept that still hold; nil asks every time.
    private let remembered: Remembered?
    /// Docker's storage, in place of podman's.
    private(set) var docker: Docker?

    public init(podman: Podman) { self.init(podman: podman, remembered: nil) }

    /// The storage of the engine that the settings name.
    public init(_ configuration: Configuration, paths: Paths) throws(AiboxError) {
        self.init(podman: Podman(host: .current))
        if configuration.runtime == .docker { docker = try Docker.current(podman.runner, paths: paths) }
    }

    init(podman: Podman, remembered: Remembered?) {
        self.podman = podman
        self.remembered = remembered
    }

    /// The name of the image built from the recipe `base`, which holds where `image` is not set.
    public static let defaultReference = "localhost/aibox/base:1"

    /// The image that a sandbox is to run, wholly known: name, id, digest, labels.
    ///
    /// - Throws: if it is not on this machine, with the command that gets it; with `.integrity` if it comes from a
    ///   registry and its signature was not checked although `registry.verify_signatures` is on.
    public func image(for configuration: Configuration, paths: Paths) throws(AiboxError) -> StoredImage {
        let image = try image(configured: configuration.image)
        if configuration.image.isEmpty || !configuration.registry.verifySignatures { return image }
        let reference = try ImageReference(configuration.image)
        if reference.isLocal { return image }
        let keys = try SigningKeys(files: configuration.registry.keys, paths: paths).fingerprints()
        let checked = try VerifiedImages.load(paths.verifiedImages)
        if let digest = image.digest, checked.contains(reference.repository, digest, keys: keys) { return image }
        throw AiboxError(
            .integrity, "cannot use the image \(configuration.image)",
            why: "its signature was not checked with a key in registry.keys", remedy: "aibox update")
    }

    /// An image by the setting `image`; empty means the base image built here. Whose image it is is not looked at.
    ///
    /// - Throws: if it is not on this machine, with the command that gets it.
    public func image(configured: String) throws(AiboxError) -> StoredImage {
        let reference = configured.isEmpty ? Self.defaultReference : configured
        if let image = try find(reference) { return image }
        let isOurs = reference.hasPrefix("localhost/")
        throw AiboxError(
            .failed, "the image \(SafeText.escaped(reference)) is not on this machine",
            why: isOurs ? "it is built here, once" : "it is not in \(docker == nil ? "podman" : "Docker")'s storage",
            remedy: isOurs ? "aibox image build" + Self.recipeArgument(reference) : "aibox update")
    }

    /// An image by name or id; nil if there is none.
    public func find(_ reference: String) throws(AiboxError) -> StoredImage? {
        if let docker { return try DockerImages(docker).find(reference) }
        try ImageReference.check(reference)
        let places = ["CONTAINERS_STORAGE_CONF", "XDG_CONFIG_HOME", "XDG_DATA_HOME"].map { Environment.all[$0] ?? "" }
        let question = "podman image inspect \(reference) in \(places)"
        if let kept = remembered?.answer(question), let image = StoredImage(inspected: kept, reference: reference) {
            return image
        }
        let asked = Timestamp.now
        let result = try podman.run(["image", "inspect", "--", reference])
        if !result.succeeded {
            if result.errorText.contains("image not known") || result.errorText.contains("no such image") { return nil }
            throw Podman.failure("cannot look at the image \(SafeText.escaped(reference))", result)
        }
        guard let answer = try Self.parse(result.output, "podman image inspect").elements?.first else { return nil }
        let image = StoredImage(inspected: answer, reference: reference)
        if let catalogue = image?.catalogue {
            // storage.conf(5)
            let settings = [
                places[0], "/usr/share/containers/storage.conf", "/etc/containers/storage.conf",
                (places[1].isEmpty ? UserIdentity.current.home + "/.config" : places[1]) + "/containers/storage.conf",
            ].filter { !$0.isEmpty }
            remembered?.keep(answer, to: question, asked: asked, files: [catalogue] + settings)
        }
        return image
    }

    /// Every image that aibox built, by name.
    public func built() throws(AiboxError) -> [StoredImage] {
        if let docker { return try DockerImages(docker).built() }
        let result = try podman.run([
            "images", "--no-trunc", "--quiet", "--filter", "label=\(ImageLabel.name)", "--filter", "dangling=false",
        ])
        if !result.succeeded { throw Podman.failure("cannot list images", result) }
        let ids = Set(result.text.split(separator: "\n").map(String.init)).sorted()
        if ids.isEmpty { return [] }
        let details = try podman.run(["image", "inspect", "--"] + ids)
        if !details.succeeded { throw Podman.failure("cannot look at images", details) }
        return try Self.parse(details.output, "podman image inspect")
            .elements?.compactMap { StoredImage(inspected: $0, reference: nil) }
            .sorted { $0.reference < $1.reference } ?? []
    }

    static func parse(_ bytes: [UInt8], _ source: String) throws(AiboxError) -> JSONValue {
        do throws(JSONError) {
            return try JSONParser.parse(bytes, limits: .init(size: 16 << 20))
        } catch {
            throw AiboxError(.failed, "cannot read the answer of \(source)", why: "\(error)")
        }
    }

    /// ` java` of `localhost/aibox/java:1`; nothing for the base image.
    static func recipeArgument(_ reference: String) -> String {
        let name = Path.name(reference).prefix { $0 != ":" && $0 != "@" }
        return name == "base" ? "" : " " + name
    }
}
