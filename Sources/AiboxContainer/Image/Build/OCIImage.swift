import AiboxSystem
import AiboxWire

/// The documents of an image with one layer, after the OCI image specification 1.0 (image-layout, manifest, config).
struct OCIImage {
    let recipe: ImageRecipe
    /// dpkg's name of the machine.
    let architecture: String
    /// Seconds since 1970.
    let created: Int
    let labels: [String: String]
    let layer: LayerArchive

    static let layoutVersion = #"{"imageLayoutVersion":"1.0.0"}"#

    /// The image's configuration: its digest is the image's id.
    var configuration: [UInt8] {
        let environment = recipe.environment.sorted { $0.key < $1.key }.map {
            JSONValue.string("\($0.key)=\($0.value)")
        }
        let user = ImageRecipe.user
        let document: JSONValue = [
            "created": .string(moment),
            "architecture": .string(Self.machine(architecture)),
            "os": "linux",
            "config": [
                "User": .string("\(user.id):\(user.id)"),
                "Env": .array(environment),
                "Cmd": ["/usr/sbin/sshd", "-D", "-e", "-f", "/etc/aibox/sshd_config"],
                "WorkingDir": "/workspace",
                "Labels": Self.object(labels),
            ],
            "rootfs": ["type": "layers", "diff_ids": [.string(layer.digest.description)]],
            "history": [
                ["created": .string(moment), "created_by": .string("aibox image build \(recipe.name)")]
            ],
        ]
        return document.bytes
    }

    func manifest(configuration: (digest: ImageDigest, size: Int)) -> [UInt8] {
        let document: JSONValue = [
            "schemaVersion": 2,
            "mediaType": .string(Self.manifestType),
            "config": Self.descriptor("application/vnd.oci.image.config.v1+json", configuration),
            "layers": [Self.descriptor("application/vnd.oci.image.layer.v1.tar", (layer.digest, layer.size))],
        ]
        return document.bytes
    }

    func index(manifest: (digest: ImageDigest, size: Int)) -> [UInt8] {
        let document: JSONValue = ["schemaVersion": 2, "manifests": [Self.descriptor(Self.manifestType, manifest)]]
        return document.bytes
    }

    private var moment: String { ImageLabel.moment(created) }

    private static let manifestType = "application/vnd.oci.image.manifest.v1+json"

    private static func descriptor(_ type: String, _ blob: (digest: ImageDigest, size: Int)) -> JSONValue {
        ["mediaType": .string(type), "digest": .string(blob.digest.description), "size": .integer(Int64(blob.size))]
    }

    private static func object(_ values: [String: String]) -> JSONValue {
        .object(
            JSONObject(
                values.sorted { $0.key < $1.key }.map { JSONObject.Member($0.key, .string($0.value)) }))
    }

    /// Go's name of a machine (GOARCH), which OCI uses, for dpkg's.
    static func machine(_ architecture: String) -> String {
        switch architecture {
        case "i386": "386"
        case "armhf", "armel": "arm"
        case "ppc64el": "ppc64le"
        default: architecture
        }
    }
}
