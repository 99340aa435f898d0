import AiboxSystem
import Glibc

/// A folder in the layout of the OCI image specification, and its way into podman's storage.
struct OCILayout: Sendable {
    let folder: String

    struct Digests: Sendable, Equatable {
        var manifest: ImageDigest
        var configuration: ImageDigest
    }

    /// Makes the layout around the layer, which is moved into it.
    func write(
        _ image: OCIImage, layer path: String
    ) throws(AiboxError) -> Digests {
        try Folder.make(folder + "/blobs/sha256")
        try retrying("cannot move \(path)") { rename(path, blob(image.layer.digest)) }
        let configuration = try store(image.configuration)
        let manifest = try store(image.manifest(configuration: configuration))
        try File.replace(folder + "/index.json", with: image.index(manifest: manifest), mode: 0o644)
        try File.replace(folder + "/oci-layout", with: OCIImage.layoutVersion, mode: 0o644)
        return Digests(manifest: manifest.digest, configuration: configuration.digest)
    }

    private func store(_ bytes: [UInt8]) throws(AiboxError) -> (digest: ImageDigest, size: Int) {
        let digest = try ImageDigest.of(bytes)
        try File.replace(blob(digest), with: bytes, mode: 0o644)
        return (digest, bytes.count)
    }

    private func blob(_ digest: ImageDigest) -> String { "\(folder)/blobs/sha256/\(digest.hexadecimal)" }
}

extension OCILayout {
    /// Copies the image into podman's storage, and names it once it is there as a whole and has the right digest.
    func load(_ image: Digests, as reference: String, _ podman: Podman) throws(AiboxError) -> StoredImage {
        // The machine's own policy may refuse everything unsigned; this image was made here a moment ago.
        let policy = Path.parent(folder) + "/load-policy.json"
        try File.replace(policy, with: Self.loadPolicy)
        // By a relative path, for podman makes a name of it and takes no capital letters in that.
        let name = Path.name(folder)
        var pull = podman.command(["pull", "--quiet", "--signature-policy", policy, "oci:" + name])
        pull.directory = Path.parent(folder)
        try podman.require(pull, "cannot load the image into podman's storage", timeout: .seconds(900))
        let id = image.configuration.hexadecimal
        defer { _ = try? podman.run(["untag", id, "localhost/\(name):latest"]) }
        guard var stored = try ImageStore(podman: podman).find(id), stored.digest == image.manifest else {
            throw AiboxError(
                .integrity, "the image in podman's storage is not the one that was built",
                why: "none there has the digest \(image.manifest)")
        }
        let previous = try ImageStore(podman: podman).find(reference)
        try podman.require(podman.command(["tag", id, reference]), "cannot name the image \(reference)")
        stored.reference = reference
        // The image that had the name is half a gigabyte without one now. A sandbox that still runs from it keeps it.
        if let previous, previous.id != id { _ = try? podman.run(["rmi", previous.id]) }
        return stored
    }

    private static let loadPolicy =
        #"{"default":[{"type":"reject"}],"transports":{"oci":{"":[{"type":"insecureAcceptAnything"}]}}}"#
}
