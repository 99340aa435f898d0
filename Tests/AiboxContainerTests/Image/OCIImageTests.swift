import AiboxSystem
import AiboxWire
import Testing

@testable import AiboxContainer

@Suite("The image's documents")
struct OCIImageTests {
    private static let layer = LayerArchive(
        digest: ImageDigest(String(repeating: "ab", count: 32)) ?? OCIImageTests.zero, size: 1234)
    private static let zero = ImageDigest.zero

    private static var image: OCIImage {
        OCIImage(
            recipe: ImageRecipe(
                name: "base", version: 1, description: "d", environment: ["PATH": "/bin", "LANG": "C.UTF-8"]),
            architecture: "amd64", created: 1_772_357_400, labels: ["b": "2", "a": "1"], layer: layer)
    }

    @Test("the configuration, to the byte")
    func configuration() {
        #expect(
            String(decoding: Self.image.configuration, as: UTF8.self)
                == #"{"created":"2026-03-01T09:30:00Z","architecture":"amd64","os":"linux","config":{"User":"1000:1000","#
                + #""Env":["LANG=C.UTF-8","PATH=/bin"],"Cmd":["/usr/sbin/sshd","-D","-e","-f","/etc/aibox/sshd_config"],"#
                + #""WorkingDir":"/workspace","Labels":{"a":"1","b":"2"}},"rootfs":{"type":"layers","diff_ids":["sha256:"#
                + String(repeating: "ab", count: 32)
                + #""]},"history":[{"created":"2026-03-01T09:30:00Z","created_by":"aibox image build base"}]}"#)
    }

    @Test("the manifest, to the byte")
    func manifest() {
        #expect(
            String(decoding: Self.image.manifest(configuration: (Self.zero, 5)), as: UTF8.self)
                == #"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"#
                + #""application/vnd.oci.image.config.v1+json","digest":"\#(Self.zero)","size":5},"layers":[{"mediaType":"#
                + #""application/vnd.oci.image.layer.v1.tar","digest":"\#(Self.layer.digest)","size":1234}]}"#)
    }

    @Test(
        "machines have Go's names",
        arguments: [("amd64", "amd64"), ("arm64", "arm64"), ("i386", "386"), ("ppc64el", "ppc64le"), ("armhf", "arm")])
    func machines(_ dpkg: String, _ go: String) { #expect(OCIImage.machine(dpkg) == go) }

    @Test(
        "image names",
        arguments: [
            ("registry.test/a/b:1", "registry.test/a/b", "1"), ("localhost/aibox/base:1", "localhost/aibox/base", "1"),
            ("127.0.0.1:5000/a", "127.0.0.1:5000/a", nil), ("h.test:5000/a/b:v1.2_x", "h.test:5000/a/b", "v1.2_x"),
        ])
    func names(_ text: String, _ repository: String, _ tag: String?) throws {
        let reference = try ImageReference(text)
        #expect(reference.repository == repository)
        #expect(reference.tag == tag)
        #expect(reference.named == repository + ":" + (tag ?? "latest"))
    }

    @Test("a name with a digest keeps it")
    func pinned() throws {
        let reference = try ImageReference("registry.test/a@\(Self.layer.digest)")
        #expect(reference.digest == Self.layer.digest)
        #expect(reference.pinned(to: Self.zero) == "registry.test/a@\(Self.zero)")
    }

    @Test(
        "what is no image name is refused before podman sees it",
        arguments: [
            "", "-x", "--privileged", "base", "a/b", "registry.test/", "registry.test//a", "registry.test/A",
            "registry.test/a:",
            "registry.test/a b", "registry.test/a@sha256:12", "registry.test/a@md5:", "registry.test/a;id", "/abs/path",
            "docker://registry.test/a:1:2:3/", "registry.test/a\u{1b}[31m", "oci:/tmp/x",
        ])
    func badNames(_ text: String) { #expect(throws: AiboxError.self) { try ImageReference(text) } }
}

extension ImageDigest {
    /// The digest that no content has, for tests.
    static var zero: ImageDigest {
        guard let digest = ImageDigest(String(repeating: "0", count: 64)) else { preconditionFailure() }
        return digest
    }
}
