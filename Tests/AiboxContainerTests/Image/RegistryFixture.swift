import AiboxConfig
import AiboxCrypto
import AiboxSystem
import AiboxTestSupport
import AiboxWire
import Glibc
import Testing

@testable import AiboxContainer

/// A registry on loopback, podman storage of its own, and what it takes to publish and sign images.
final class RegistryFixture: Sendable {
    let folder: TemporaryFolder
    let port: Int
    let podman: Podman
    let paths: Paths
    /// podman's storage.
    var storage: String { folder.path + (geteuid() == 0 ? "/storage" : "/home/.local/share/containers/storage") }
    private let runner: EnvironmentRunner
    private let process: ChildProcess

    /// Adds variables to every command, so that neither the user's storage nor the user's keys are touched.
    struct EnvironmentRunner: CommandRunner {
        let environment: [String: String?]

        func run(_ command: Command, timeout: Duration?) throws(AiboxError) -> CommandResult {
            var command = command
            command.environment.merge(environment) { own, _ in own }
            return try SystemCommandRunner().run(command, timeout: timeout)
        }
    }

    init() throws {
        folder = try TemporaryFolder(prefix: "aibox-registry")
        port = Int(try Lab.freePort())
        let home = folder.path + "/home"
        try Folder.make(home + "/.config/containers/registries.d")
        // Where CONTAINERS_STORAGE_CONF says so, rootless podman and skopeo take different folders; below a home folder of
        // its own both take the same.
        let isRoot = geteuid() == 0
        let places = "graphroot = \"\(folder.path)/storage\"\nrunroot = \"\(folder.path)/run\"\n"
        try folder.write(
            isRoot ? "storage.conf" : "home/.config/containers/storage.conf",
            "[storage]\ndriver = \"overlay\"\n" + (isRoot ? places : ""))
        try folder.write("registries.conf", "[[registry]]\nlocation = \"127.0.0.1:\(port)\"\ninsecure = true\n")
        try folder.write(
            "home/.config/containers/registries.d/lookaside.yaml",
            "docker:\n  127.0.0.1:\(port):\n    lookaside: file://\(folder.path)/lookaside\n"
                + "    lookaside-staging: file://\(folder.path)/lookaside\n")
        let configuration = try folder.write(
            "registry.yml",
            "version: 0.1\nlog:\n  level: error\nstorage:\n  filesystem:\n    rootdirectory: \(folder.path)/registry\n"
                + "http:\n  addr: 127.0.0.1:\(port)\n")
        runner = EnvironmentRunner(environment: [
            "HOME": home, "GNUPGHOME": folder.path + "/gnupg",
            "CONTAINERS_STORAGE_CONF": isRoot ? folder.path + "/storage.conf" : nil,
            "CONTAINERS_REGISTRIES_CONF": folder.path + "/registries.conf",
        ])
        podman = Podman(runner: runner, host: .current)
        paths = Paths(
            identity: UserIdentity(uid: geteuid(), gid: getegid(), name: "test", home: home),
            environment: ["XDG_STATE_HOME": folder.path + "/state"])
        let log = Descriptor(open(folder.path + "/registry.log", O_WRONLY | O_CREAT | O_CLOEXEC, 0o600))
        process = try ChildProcess.start(
            Command("docker-registry", ["serve", configuration]), descriptors: [-1, log.number, log.number])
        try waitUntilItAnswers()
    }

    deinit {
        stop()
        // Storage belongs to the user namespace when rootless; it is mounted on itself.
        let script = """
            umount -l "$1/home/.local/share/containers/storage/overlay" "$1/storage/overlay" 2>/dev/null
            rm -rf "$1/home/.local" "$1/storage" "$1/run"
            """
        _ = try? podman.run(["rmi", "--all", "--force"])
        _ = try? runner.run(
            geteuid() == 0
                ? Command("sh", ["-c", script, "sh", folder.path])
                : Command("podman", ["unshare", "sh", "-c", script, "sh", folder.path]))
    }

    /// Ends the registry; its images can no longer be fetched.
    func stop() {
        process.send(SIGKILL)
        _ = try? process.wait()
    }

    private func waitUntilItAnswers() throws {
        for _ in 0..<200 {
            let answer = try runner.run(
                Command("curl", ["-s", "-o", "/dev/null", "-m", "1", "http://127.0.0.1:\(port)/v2/"]))
            if answer.succeeded { return }
            usleep(50_000)
        }
        throw AiboxError(.failed, "the registry does not start", why: try? File.text(folder.path + "/registry.log"))
    }
}

// MARK: - Publishing

extension RegistryFixture {
    func repository(_ name: String) -> String { "127.0.0.1:\(port)/\(name)" }

    /// Writes an OCI layout with one tiny image and returns its folder.
    func layout(_ content: String, created: Int, architecture: String = ImageIndex.architecture) throws -> String {
        let path = "\(folder.path)/layout-\(UInt64.random(in: .min ... .max))"
        try Folder.make(path)
        let layer = try ArchiveFixture.write(
            [(ArchiveFixture.file("content"), Array(content.utf8))], to: path + ".tar")
        let image = OCIImage(
            recipe: ImageRecipe(name: "tiny", version: 1, description: "a test"), architecture: architecture,
            created: created, labels: [ImageLabel.created: ImageLabel.moment(created)], layer: layer.result)
        _ = try OCILayout(folder: path).write(image, layer: layer.path)
        return path
    }

    /// Publishes a tiny image and returns the digest that the registry has it under.
    @discardableResult
    func publish(_ content: String, as name: String, created: Int, signer: String? = nil) throws -> ImageDigest {
        let layout = try layout(content, created: created)
        let sign = signer.map { ["--sign-by", $0] } ?? []
        try skopeo(["copy", "--quiet"] + sign + ["oci:" + layout, "docker://" + name])
        return try digest(name)
    }

    func digest(_ name: String) throws -> ImageDigest {
        try .of(try skopeo(["inspect", "--raw", "docker://" + name]).output)
    }

    @discardableResult
    func skopeo(_ arguments: [String]) throws -> CommandResult {
        try runner.require(
            Command(
                "skopeo", ["--insecure-policy", "--registries-conf", folder.path + "/registries.conf"] + arguments),
            "skopeo failed")
    }
}

// MARK: - Signing

extension RegistryFixture {
    /// Makes a key pair as `cosign generate-key-pair` would; returns the path of the public half.
    func makeKey(_ name: String) throws -> String {
        let secret = "\(folder.path)/\(name).key"
        try runner.require(
            Command("openssl", ["ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", secret]),
            "openssl failed")
        try runner.require(
            Command("openssl", ["ec", "-in", secret, "-pubout", "-out", "\(folder.path)/\(name).pub"]), "openssl failed"
        )
        return "\(folder.path)/\(name).pub"
    }

    /// Signs as `cosign sign --tlog-upload=false` does: a signed document beside the image, under the tag
    /// `sha256-<digest>.sig`.
    ///
    /// - Parameters:
    ///   - said: the digest that the signed document speaks of, if not the image's.
    ///   - name: the repository that it speaks of, if not the image's.
    func sign(_ repository: String, _ digest: ImageDigest, key: String, said: ImageDigest? = nil, name: String? = nil)
        throws
    {
        let payload: JSONValue = [
            "critical": [
                "identity": ["docker-reference": .string(name ?? repository)],
                "image": ["docker-manifest-digest": .string((said ?? digest).description)],
                "type": "cosign container image signature",
            ], "optional": .null,
        ]
        let signature = try runner.require(
            Command("openssl", ["dgst", "-sha256", "-sign", "\(folder.path)/\(key).key"], input: payload.bytes),
            "openssl failed")
        let image = "\(folder.path)/signature-\(UInt64.random(in: .min ... .max))"
        try Folder.make(image)
        func blob(_ bytes: [UInt8]) throws -> ImageDigest {
            let digest = try ImageDigest.of(bytes)
            try File.replace("\(image)/\(digest.hexadecimal)", with: bytes)
            return digest
        }
        let document = payload.bytes
        let payloadDigest = try blob(document)
        let configuration: JSONValue = [
            "architecture": "", "os": "", "config": [:],
            "rootfs": ["type": "layers", "diff_ids": [.string(payloadDigest.description)]],
        ]
        let manifest: JSONValue = [
            "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": [
                "mediaType": "application/vnd.oci.image.config.v1+json",
                "size": .integer(Int64(configuration.bytes.count)),
                "digest": .string(try blob(configuration.bytes).description),
            ],
            "layers": [
                [
                    "mediaType": "application/vnd.dev.cosign.simplesigning.v1+json",
                    "size": .integer(Int64(document.count)),
                    "digest": .string(payloadDigest.description),
                    "annotations": ["dev.cosignproject.cosign/signature": .string(Base64.encode(signature.output))],
                ]
            ],
        ]
        try File.replace(image + "/manifest.json", with: manifest.bytes)
        try File.replace(image + "/version", with: "Directory Transport Version: 1.1\n")
        try skopeo(["copy", "--quiet", "dir:" + image, "docker://\(repository):\(CosignSignature.tag(digest))"])
    }

    /// Makes an OpenPGP key and returns the path of its public half.
    func makeOpenPGPKey(_ name: String) throws -> String {
        let home = folder.path + "/gnupg"
        try Folder.makePrivate(home)
        try runner.require(
            Command(
                "gpg",
                ["--batch", "--quiet", "--passphrase", "", "--quick-gen-key", name, "default", "default", "never"]),
            "gpg failed")
        let key = try runner.require(Command("gpg", ["--armor", "--export", name]), "gpg failed")
        return try folder.write(name + ".asc", key.text + "\n")
    }
}

// MARK: - Asking

extension RegistryFixture {
    func update(_ name: String, keys: [String], verify: Bool = true) throws -> ImageUpdate.Outcome {
        try updater(keys: keys, verify: verify).update(try ImageReference(name))
    }

    func updater(keys: [String], verify: Bool = true) -> ImageUpdate {
        var settings = Configuration().registry
        settings.verifySignatures = verify
        settings.keys = keys
        return ImageUpdate(
            podman: podman, registry: RegistryClient(runner: runner, settings: folder.path + "/registries.conf"),
            settings: settings, paths: paths, progress: { _ in })
    }

    /// The image that a start would take.
    func imageForStart(_ name: String, keys: [String], verify: Bool = true) throws -> StoredImage {
        var configuration = Configuration()
        configuration.image = name
        configuration.registry.keys = keys
        configuration.registry.verifySignatures = verify
        return try ImageStore(podman: podman).image(for: configuration, paths: paths)
    }

    func names() throws -> [String] {
        try podman.run(["images", "--format", "{{.Repository}}:{{.Tag}}"]).text.split(separator: "\n").map(String.init)
    }
}

extension RegistryFixture {
    /// Publishes several images under one name, as an index; returns the index's digest.
    func pushIndex(_ layouts: [String], to name: String) throws -> ImageDigest {
        let folder = folder.path + "/index"
        try Folder.make(folder + "/blobs/sha256")
        var entries: [JSONValue] = []
        for layout in layouts {
            for blob in try Folder.names(layout + "/blobs/sha256") {
                try File.replace(
                    "\(folder)/blobs/sha256/\(blob)", with: try File.read("\(layout)/blobs/sha256/\(blob)"))
            }
            let entry = try #require(
                try ImageStore.parse(try File.read(layout + "/index.json"), "index")["manifests"]?.elements?.first)
            guard case .object(var object) = entry else { continue }
            let architecture = entries.isEmpty ? ImageIndex.architecture : "s390x"
            object["platform"] = ["os": "linux", "architecture": .string(architecture)]
            entries.append(.object(object))
        }
        let index: JSONValue = [
            "schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": .array(entries),
        ]
        let digest = try ImageDigest.of(index.bytes)
        try File.replace("\(folder)/blobs/sha256/\(digest.hexadecimal)", with: index.bytes)
        let top: JSONValue = [
            "schemaVersion": 2,
            "manifests": [
                [
                    "mediaType": "application/vnd.oci.image.index.v1+json", "digest": .string(digest.description),
                    "size": .integer(Int64(index.bytes.count)),
                ]
            ],
        ]
        try File.replace(folder + "/index.json", with: top.bytes)
        try File.replace(folder + "/oci-layout", with: OCIImage.layoutVersion)
        try skopeo(["copy", "--quiet", "--all", "oci:" + folder, "docker://" + name])
        return try self.digest(name)
    }
}
