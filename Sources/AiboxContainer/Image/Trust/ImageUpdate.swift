public import AiboxConfig
import AiboxCrypto
public import AiboxSystem
import Glibc

/// Brings the configured image from its registry: found by name, checked and fetched by digest, and given its name
/// only when its signature and its age are right.
public struct ImageUpdate: Sendable {
    let store: ImageStore
    let registry: RegistryClient
    let settings: Configuration.Registry
    let paths: Paths
    let progress: @Sendable (String) -> Void

    public init(
        podman: Podman, settings: Configuration.Registry, paths: Paths,
        progress: @escaping @Sendable (String) -> Void = { _ in }
    ) {
        self.init(
            podman: podman, registry: RegistryClient(runner: podman.runner), settings: settings, paths: paths,
            progress: progress)
    }

    init(
        podman: Podman, registry: RegistryClient, settings: Configuration.Registry, paths: Paths,
        progress: @escaping @Sendable (String) -> Void
    ) {
        store = ImageStore(podman: podman)
        self.registry = registry
        self.settings = settings
        self.paths = paths
        self.progress = progress
    }

    /// What an update did, or would do.
    public struct Outcome: Sendable, Equatable {
        public var reference: String
        /// The digest before; nil if there was no image of that name.
        public var old: ImageDigest?
        /// The digest that the registry has.
        public var new: ImageDigest
        public var signature: Signature
        public var isNew: Bool { old != new }
    }

    public enum Signature: Sendable, Equatable {
        /// A key in `registry.keys` has signed this very image; the key's fingerprint.
        case verified(key: String)
        /// `registry.verify_signatures` is off.
        case switchedOff
        /// Nothing was fetched, so nothing was checked.
        case notChecked
    }

    /// Asks the registry what it has, and fetches nothing.
    public func check(_ reference: ImageReference) throws(AiboxError) -> Outcome {
        let new = try remote(reference)
        return Outcome(
            reference: reference.named, old: try present(reference)?.digest, new: new.image, signature: .notChecked)
    }

    public func update(_ reference: ImageReference) throws(AiboxError) -> Outcome {
        let keys = try keys()
        let present = try present(reference)
        progress("asking \(reference.registry)")
        let new = try remote(reference)
        let folder = try Folder.makeTemporary(prefix: "aibox-update")
        defer { try? Folder.removeTree(folder) }
        let key = try fetch(reference, new, keys, folder)
        let name = reference.pinned(to: reference.digest ?? new.image)
        guard let image = try store.find(name), let digest = image.digest else {
            throw AiboxError(
                .integrity, "the image just fetched is not in podman's storage",
                why: "none there is \(name)", remedy: "podman info   (shows where its storage is)")
        }
        do throws(AiboxError) {
            try refuseOlder(image, than: present, reference)
        } catch {
            if image.id != present?.id { _ = try? store.podman.run(["rmi", name]) }
            throw error
        }
        if let key {
            let check = VerifiedImages.Check(
                created: image.age ?? 0, repository: reference.repository, digest: digest, key: key)
            try VerifiedImages.record(check, in: paths.verifiedImages)
        }
        if reference.digest == nil {
            try store.podman.require(
                store.podman.command(["tag", image.id, reference.named]), "cannot name the image \(reference.named)")
        }
        // A sandbox that still runs from the former image keeps it.
        if let present, present.id != image.id { _ = try? store.podman.run(["rmi", present.id]) }
        return Outcome(
            reference: reference.digest == nil ? reference.named : name, old: present?.digest, new: digest,
            signature: key.map { .verified(key: $0) } ?? .switchedOff)
    }
}

// MARK: - Steps

extension ImageUpdate {
    /// The keys that count; nil if signatures are not to be checked.
    private func keys() throws(AiboxError) -> SigningKeys? {
        if !settings.verifySignatures { return nil }
        let keys = try SigningKeys(files: settings.keys, paths: paths)
        if !keys.isEmpty { return keys }
        throw AiboxError(
            .layerMissing, "cannot check the image's signature",
            why: "registry.verify_signatures is on and registry.keys names no key, so no signature could be right",
            remedy:
                "aibox config set registry.keys /path/to/key.pub   (the key that your organisation signs images with)")
    }

    private func present(_ reference: ImageReference) throws(AiboxError) -> StoredImage? {
        try store.find(reference.digest.map { reference.pinned(to: $0) } ?? reference.named)
    }

    /// What the registry has under a name.
    private struct Remote {
        /// The digest of the manifest itself: of one image, or of an index of images for several machines.
        var top: ImageDigest
        /// The digest of the image for this machine.
        var image: ImageDigest
    }

    private func remote(_ reference: ImageReference) throws(AiboxError) -> Remote {
        let name = reference.digest.map { reference.pinned(to: $0) } ?? reference.named
        let manifest: [UInt8]?
        do throws(AiboxError) {
            manifest = try registry.manifest(name)
        } catch {
            throw try unreachable(error, reference)
        }
        guard let manifest else {
            throw AiboxError(.failed, "the registry has no image \(name)", remedy: "aibox config set image NAME")
        }
        let digest = try ImageDigest.of(manifest)
        if let wanted = reference.digest, wanted != digest {
            throw AiboxError(
                .integrity, "the registry answers with another image than asked for",
                why: "asked for \(wanted), got \(digest)")
        }
        return Remote(top: digest, image: try ImageIndex.image(in: manifest) ?? digest)
    }

    /// Says, with the error of an unreachable registry, whether work can go on without it.
    private func unreachable(_ error: AiboxError, _ reference: ImageReference) throws(AiboxError) -> AiboxError {
        guard RegistryClient.isUnreachable(error) else { return error }
        let present = try present(reference)
        let stays = present.map { "the image that is here (\($0.digest?.short ?? $0.id)) stays in use" }
        return AiboxError(
            .failed, "cannot reach the registry of \(reference.named)", why: error.why,
            remedy: (stays ?? "there is no such image on this machine either") + "; try again: aibox update")
    }

    /// Checks the signature and copies the image into podman's storage; returns the fingerprint of the key, nil if
    /// signatures are not to be checked.
    private func fetch(
        _ reference: ImageReference, _ remote: Remote, _ keys: SigningKeys?, _ folder: String
    ) throws(AiboxError) -> String? {
        let digest = reference.digest ?? remote.image
        let accepting = TrustPolicy.accepting(repository: reference.repository)
        guard let keys else {
            if let reason = try copy(reference, digest, accepting, folder) {
                throw Self.refused(reference, digest, reason)
            }
            return nil
        }
        var reasons: [String] = []
        if !keys.sigstore.isEmpty {
            progress("checking the signature")
            switch try cosign(reference, remote, keys, folder) {
            case .success(let key):
                // The digest binds every byte from here on, whoever delivers it.
                if let reason = try copy(reference, digest, accepting, folder) {
                    throw Self.refused(reference, digest, reason)
                }
                return try SigningKeys.fingerprint(key.encoded)
            case .failure(let refusal): reasons.append(refusal.reason)
            }
        }
        if !keys.openPGP.isEmpty {
            let file = folder + "/keys.gpg"
            let bytes = Array(keys.openPGP.joined())
            try File.replace(file, with: bytes)
            let policy = TrustPolicy.signed(repository: reference.repository, keyFile: file)
            guard let reason = try copy(reference, digest, policy, folder) else {
                return try SigningKeys.fingerprint(bytes)
            }
            reasons.append(reason)
        }
        throw Self.refused(reference, digest, reasons.joined(separator: "; "))
    }

    private static func refused(_ reference: ImageReference, _ digest: ImageDigest, _ why: String) -> AiboxError {
        AiboxError(
            .integrity, "refused the image \(reference.pinned(to: digest))", why: why,
            remedy: "nothing was changed; the image has to be signed with a key in registry.keys")
    }

    /// A signature of the index covers the images in it, for it names them by their digests.
    private func cosign(
        _ reference: ImageReference, _ remote: Remote, _ keys: SigningKeys, _ folder: String
    ) throws(AiboxError) -> Result<PublicKey, CosignSignature.Refusal> {
        let first = try cosign(reference, remote.top, keys, folder + "/signature")
        guard case .failure = first, remote.image != remote.top else { return first }
        return try cosign(reference, remote.image, keys, folder + "/image-signature")
    }

    private func cosign(
        _ reference: ImageReference, _ digest: ImageDigest, _ keys: SigningKeys, _ folder: String
    ) throws(AiboxError) -> Result<PublicKey, CosignSignature.Refusal> {
        let name = reference.repository + ":" + CosignSignature.tag(digest)
        guard let manifest = try registry.manifest(name) else {
            return .failure(.init(reason: "it has no signature"))
        }
        let policy = folder + "-policy.json"
        try File.replace(policy, with: TrustPolicy.accepting(repository: reference.repository))
        // By the digest of the manifest that was read, so that both belong together.
        let pinned = reference.pinned(to: try .of(manifest))
        try registry.copy(pinned, toFolder: folder, policy: policy)
        return try CosignSignature.check(
            try CosignSignature.candidates(manifest: manifest), keys: keys.sigstore, image: digest,
            repository: reference.repository
        ) { (payload: ImageDigest) throws(AiboxError) in
            try File.read("\(folder)/\(payload.hexadecimal)", limit: 1 << 20)
        }
    }

    /// Copies the image into podman's storage; returns why the policy refuses it, nil if it is there.
    private func copy(
        _ reference: ImageReference, _ digest: ImageDigest, _ policy: [UInt8], _ folder: String
    ) throws(AiboxError) -> String? {
        progress("fetching \(digest.short)")
        let file = folder + "/policy.json"
        try File.replace(file, with: policy)
        switch try registry.copy(reference.pinned(to: digest), policy: file) {
        case .done: return nil
        case .refused(let reason): return reason
        }
    }

    /// An old image may have a hole that a newer one closed; whoever can answer for the registry must not be able to
    /// bring it back. An image that the configuration names by its digest is a person's own decision.
    private func refuseOlder(
        _ image: StoredImage, than present: StoredImage?, _ reference: ImageReference
    ) throws(AiboxError) {
        if reference.digest != nil { return }
        let known = try VerifiedImages.load(paths.verifiedImages).newest(reference.repository)?.created
        guard let floor = [present?.age, known].compactMap({ $0 }).max() else { return }
        let age = image.age ?? 0
        if age >= floor { return }
        throw AiboxError(
            .integrity, "refused an image for \(reference.named) that is older than the one in use",
            why: "it is of \(ImageLabel.moment(age)), the newest accepted so far of \(ImageLabel.moment(floor))",
            remedy: "to go back on purpose, name the image by its digest: aibox config set image NAME@sha256:...")
    }
}

extension StoredImage {
    /// When the image was made, in seconds since 1970: by its label, else by its configuration.
    var age: Int? {
        let moment = labels[ImageLabel.created].flatMap { Timestamp(rfc3339: $0) } ?? created
        return moment.map { Int($0.seconds) }
    }
}
