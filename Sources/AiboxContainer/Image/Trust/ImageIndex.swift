import AiboxSystem
import AiboxWire

/// An image index (OCI image specification; Docker's manifest list): one name, an image a kind of machine.
enum ImageIndex {
    /// The digest of the image for this machine; nil if the manifest is no index but an image's own.
    static func image(in manifest: [UInt8], architecture: String = architecture) throws(AiboxError) -> ImageDigest? {
        let document = try ImageStore.parse(manifest, "the image's manifest")
        guard let entries = document["manifests"]?.elements else { return nil }
        for entry in entries where entry["platform"]?["os"]?.stringValue == "linux" {
            if entry["platform"]?["architecture"]?.stringValue == architecture,
                let digest = entry["digest"]?.stringValue.flatMap({ ImageDigest($0) })
            {
                return digest
            }
        }
        throw AiboxError(
            .failed, "the image is not made for this machine", why: "its index has none for linux/\(architecture)")
    }

    /// Go's name of this machine.
    static var architecture: String {
        #if arch(x86_64)
            "amd64"
        #elseif arch(arm64)
            "arm64"
        #elseif arch(riscv64)
            "riscv64"
        #else
            "unknown"
        #endif
    }
}
