import AiboxCrypto
import AiboxSystem
import AiboxWire

/// The signatures that cosign stores beside an image, under the tag `sha256-<digest>.sig` (sigstore/cosign,
/// specs/SIGNATURE_SPEC.md), and the check of them.
///
/// Checked here and not by podman, because distributions ship podman and skopeo with that check left out (Debian 12:
/// "sigstore disabled"), which refuses signed and unsigned images alike.
enum CosignSignature {
    /// One signature: what was signed and by what bytes.
    struct Candidate: Sendable, Equatable {
        /// The digest of the signed document, which lies beside the manifest under that name.
        var payload: ImageDigest
        var signature: [UInt8]
    }

    /// The tag beside an image.
    static func tag(_ image: ImageDigest) -> String { "sha256-\(image.hexadecimal).sig" }

    /// The signatures that a signature manifest lists.
    static func candidates(manifest: [UInt8]) throws(AiboxError) -> [Candidate] {
        let document = try ImageStore.parse(manifest, "the signature's manifest")
        return (document["layers"]?.elements ?? []).prefix(64).compactMap { layer in
            guard layer["mediaType"]?.stringValue == "application/vnd.dev.cosign.simplesigning.v1+json",
                let payload = layer["digest"]?.stringValue.flatMap({ ImageDigest($0) }),
                let text = layer["annotations"]?["dev.cosignproject.cosign/signature"]?.stringValue,
                let signature = Base64.decode(text)
            else { return nil }
            return Candidate(payload: payload, signature: signature)
        }
    }

    /// Why the signed document does not speak of this image; nil if it does.
    static func complaint(payload: [UInt8], image: ImageDigest, repository: String) throws(AiboxError) -> String? {
        let critical = try ImageStore.parse(payload, "the signed document")["critical"]
        guard critical?["type"]?.stringValue == "cosign container image signature" else {
            return "what was signed is no image"
        }
        guard critical?["image"]?["docker-manifest-digest"]?.stringValue == image.description else {
            return "what was signed is another image"
        }
        let name = critical?["identity"]?["docker-reference"]?.stringValue ?? ""
        guard let signed = try? ImageReference(name), signed.repository == repository else {
            return "what was signed is an image of \(SafeText.escaped(name))"
        }
        return nil
    }

    /// The first key with a valid signature, or why there is none.
    ///
    /// - Parameter payload: the bytes of a signed document.
    static func check(
        _ candidates: [Candidate], keys: [PublicKey], image: ImageDigest, repository: String,
        payload: (ImageDigest) throws(AiboxError) -> [UInt8]
    ) throws(AiboxError) -> Result<PublicKey, Refusal> {
        var reason = "it has no signature"
        for candidate in candidates {
            let bytes = try payload(candidate.payload)
            guard try ImageDigest.of(bytes) == candidate.payload else { continue }
            for key in keys {
                guard try key.isValid(candidate.signature, of: bytes) else { continue }
                guard let complaint = try complaint(payload: bytes, image: image, repository: repository) else {
                    return .success(key)
                }
                reason = complaint
            }
            if reason == "it has no signature" { reason = "none of the keys in registry.keys has signed it" }
        }
        return .failure(Refusal(reason: reason))
    }

    struct Refusal: Error, Equatable { var reason: String }
}
