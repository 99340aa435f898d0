import AiboxConfig
import AiboxSystem
import AiboxWire
import Glibc

/// The images in Docker's storage that aibox put there.
///
/// Rootless, inside 1000 is the daemon's 0 and inside 0 its 1000, so the image's owners 0 and 1000 have to be exchanged; a
/// label says so, and an image of the other kind is not started.
struct DockerImages: Sendable {
    let docker: Docker

    init(_ docker: Docker) { self.docker = docker }

    /// In the image's labels where the owners 0 and 1000 are exchanged.
    static let exchanged = "aibox.image.owners"

    /// The image that a sandbox is to run.
    func image(for configuration: Configuration, isRoot: Bool) throws(AiboxError) -> StoredImage {
        let reference = configuration.image.isEmpty ? ImageStore.defaultReference : configuration.image
        if try !ImageReference(reference).isLocal {
            throw AiboxError(
                .failed, "cannot use the image \(SafeText.escaped(reference)) with docker",
                why: "its signature is checked in podman's storage only",
                remedy: "aibox config set image localhost/aibox/base:1, or: aibox config set runtime podman")
        }
        guard let image = try find(reference) else {
            throw AiboxError(
                .failed, "the image \(SafeText.escaped(reference)) is not in Docker's storage",
                why: "it is built here, once", remedy: "aibox image build" + ImageStore.recipeArgument(reference))
        }
        if (image.labels[Self.exchanged] != nil) == isRoot {
            throw AiboxError(
                .failed, "cannot use the image \(SafeText.escaped(reference))",
                why: isRoot
                    ? "it is for a rootless daemon" : "its files belong to other users than a rootless daemon has",
                remedy: "aibox image build" + ImageStore.recipeArgument(reference))
        }
        return image
    }

    func find(_ reference: String) throws(AiboxError) -> StoredImage? {
        try ImageReference.check(reference)
        let result = try docker.run(["image", "inspect", reference])
        if !result.succeeded {
            if result.errorText.lowercased().contains("no such image") { return nil }
            throw Docker.failure("cannot look at the image \(SafeText.escaped(reference))", result)
        }
        return StoredImage(inspected: try docker.parse(result, "docker image inspect"), reference: reference)
    }

    func built() throws(AiboxError) -> [StoredImage] {
        let result = try docker.require(
            ["images", "--no-trunc", "--quiet", "--filter", "label=\(ImageLabel.name)", "--filter", "dangling=false"],
            "cannot list images")
        var images: [StoredImage] = []
        for id in Set(result.text.split(separator: "\n").map(String.init)).sorted() {
            let found = try docker.require(["image", "inspect", id], "cannot look at the image \(id)")
            if let image = StoredImage(inspected: try docker.parse(found, "docker image inspect"), reference: nil) {
                images.append(image)
            }
        }
        return images.sorted { $0.reference < $1.reference }
    }

    /// Puts an image that was built here into Docker's storage, as this user's daemon needs it.
    func load(
        _ image: OCIImage, layer: String, as reference: String, in folder: String
    ) throws(AiboxError) -> StoredImage {
        let configuration: JSONValue
        do {
            configuration = try JSONParser.parse(image.configuration)
        } catch {
            throw AiboxError(.failed, "cannot write the image", why: "\(error)")
        }
        let archive = DockerArchive(configuration: configuration, layer: layer, reference: reference)
        return try load(archive, exchanging: !UserIdentity.current.isRoot, in: folder)
    }

    /// The image that had the name goes, unless something runs from it.
    func load(_ archive: DockerArchive, exchanging: Bool, in folder: String) throws(AiboxError) -> StoredImage {
        let reference = archive.reference
        let previous = try find(reference)
        let written = try archive.write(exchanging: exchanging, in: folder)
        try docker.require(
            ["load", "--quiet", "--input", written.path], "cannot load the image into Docker's storage",
            timeout: .seconds(900))
        try File.remove(written.path)
        // By its layers: an image's id is another digest in each of Docker's two kinds of storage.
        guard let stored = try find(reference), !stored.layers.isEmpty, stored.layers == written.layers else {
            throw AiboxError(
                .integrity, "the image in Docker's storage is not the one that was built",
                why: "its layers are not those that were loaded")
        }
        if let previous, previous.id != stored.id { _ = try? docker.run(["image", "rm", previous.id]) }
        return stored
    }

    /// A text file of an image, nil if it is not there; nothing of the image is run for it.
    func file(_ path: String, of image: String) throws(AiboxError) -> String? {
        let made = try docker.require(
            ["create", "--pull", "never", "--network", "none", image, "true"], "cannot look into the image")
        let container = String(made.text.split(separator: "\n").last ?? "")
        defer { _ = try? docker.run(["rm", "--force", container]) }
        let folder = try Folder.makeTemporary(prefix: "aibox-image-file")
        defer { try? Folder.removeTree(folder) }
        let copied = try docker.run(["cp", "--follow-link", "\(container):\(path)", folder + "/file"])
        if copied.succeeded { return try File.text(folder + "/file") }
        if copied.errorText.contains("Could not find the file") { return nil }
        throw AiboxError(.failed, "cannot read \(path) of the image", why: SafeText.escaped(copied.errorText))
    }
}
