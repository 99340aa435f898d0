import AiboxConfig
import AiboxSystem
import AiboxTestSupport
import AiboxWire
import Glibc
import Testing

@testable import AiboxContainer

@Suite("Images from a registry", .serialized)
struct ImageUpdateTests {
    private static let january = 1_767_225_600
    private static let february = 1_769_904_000

    /// The error of work that has to fail.
    private func refusal(_ code: AiboxError.Code, _ said: String, _ work: () throws -> Void) {
        let error = #expect(throws: AiboxError.self) { try work() }
        #expect(error?.code == code, "\(error?.description ?? "")")
        #expect(error?.description.contains(said) == true, "\(error?.description ?? "")")
    }

    @Test("a signed image is fetched, named and may be started; again, nothing changes")
    func signed() throws {
        let registry = try RegistryFixture()
        let repository = registry.repository("team/app")
        let key = try registry.makeKey("a")
        let digest = try registry.publish("one", as: repository + ":1", created: Self.january)
        try registry.sign(repository, digest, key: "a")
        let outcome = try registry.update(repository + ":1", keys: [key])
        #expect(outcome.old == nil)
        #expect(outcome.new == digest)
        #expect(outcome.isNew)
        guard case .verified = outcome.signature else {
            Issue.record("\(outcome.signature)")
            return
        }
        #expect(try registry.imageForStart(repository + ":1", keys: [key]).digest == digest)
        #expect(try registry.update(repository + ":1", keys: [key]).isNew == false)
        // One key of several is enough, whatever its place.
        let other = try registry.makeKey("b")
        #expect(try registry.update(repository + ":1", keys: [other, key]).isNew == false)
    }

    @Test("what no listed key has signed for this name is refused and leaves nothing behind")
    func refused() throws {
        let registry = try RegistryFixture()
        let key = try registry.makeKey("a")
        _ = try registry.makeKey("b")
        let cases: [(String, String, (String, ImageDigest) throws -> Void)] = [
            ("unsigned", "it has no signature", { _, _ in }),
            ("other-key", "none of the keys", { try registry.sign($0, $1, key: "b") }),
            ("other-image", "another image", { try registry.sign($0, $1, key: "a", said: .zero) }),
            (
                "other-name", "an image of 127.0.0.1",
                { try registry.sign($0, $1, key: "a", name: registry.repository("x/y")) }
            ),
        ]
        for (name, said, sign) in cases {
            let repository = registry.repository("team/" + name)
            let digest = try registry.publish(name, as: repository + ":1", created: Self.january)
            try sign(repository, digest)
            refusal(.integrity, said) { _ = try registry.update(repository + ":1", keys: [key]) }
            refusal(.failed, "not on this machine") { _ = try registry.imageForStart(repository + ":1", keys: [key]) }
        }
        #expect(try registry.names().isEmpty)
        #expect(try VerifiedImages.load(registry.paths.verifiedImages).checks.isEmpty)
    }

    @Test("an image changed in the registry is refused, manifest or layer")
    func tampered() throws {
        let registry = try RegistryFixture()
        let key = try registry.makeKey("a")
        for part in ["manifest", "layer"] {
            let repository = registry.repository("team/" + part)
            let digest = try registry.publish(part, as: repository + ":1", created: Self.january)
            try registry.sign(repository, digest, key: "a")
            let blobs = registry.folder.path + "/registry/docker/registry/v2/blobs/sha256"
            var victim = digest.hexadecimal
            if part == "layer" {
                let manifest = try registry.skopeo(["inspect", "--raw", "docker://\(repository):1"])
                let layers = try ImageStore.parse(manifest.output, "manifest")["layers"]?.elements ?? []
                victim = String(try #require(layers.first?["digest"]?.stringValue).dropFirst(7))
            }
            let file = "\(blobs)/\(victim.prefix(2))/\(victim)/data"
            var bytes = try File.read(file)
            bytes.append(UInt8(ascii: " "))
            try File.replace(file, with: bytes)
            #expect(throws: AiboxError.self, "\(part)") { try registry.update(repository + ":1", keys: [key]) }
        }
        #expect(try registry.names().isEmpty)
    }

    @Test("there is no way back to an older image, signed as it may be, not even after the newer one was removed")
    func rollback() throws {
        let registry = try RegistryFixture()
        let repository = registry.repository("team/app")
        let key = try registry.makeKey("a")
        let old = try registry.publish("old", as: repository + ":1", created: Self.january)
        try registry.sign(repository, old, key: "a")
        let new = try registry.publish("new", as: repository + ":1", created: Self.february)
        try registry.sign(repository, new, key: "a")
        #expect(try registry.update(repository + ":1", keys: [key]).new == new)
        try registry.publish("old", as: repository + ":1", created: Self.january)
        refusal(.integrity, "older") { _ = try registry.update(repository + ":1", keys: [key]) }
        #expect(try registry.imageForStart(repository + ":1", keys: [key]).digest == new)
        #expect(try registry.podman.run(["rmi", "--all", "--force"]).succeeded)
        refusal(.integrity, "older") { _ = try registry.update(repository + ":1", keys: [key]) }
        #expect(try registry.names().isEmpty)
        // By its digest it is a person's own decision.
        let pinned = "\(repository)@\(old)"
        #expect(try registry.update(pinned, keys: [key]).new == old)
        #expect(try registry.imageForStart(pinned, keys: [key]).digest == old)
    }

    @Test("without the registry the image that is here keeps working")
    func offline() throws {
        let registry = try RegistryFixture()
        let repository = registry.repository("team/app")
        let key = try registry.makeKey("a")
        let digest = try registry.publish("one", as: repository + ":1", created: Self.january)
        try registry.sign(repository, digest, key: "a")
        _ = try registry.update(repository + ":1", keys: [key])
        registry.stop()
        refusal(.failed, "the image that is here (\(digest.short)) stays in use") {
            _ = try registry.update(repository + ":1", keys: [key])
        }
        #expect(try registry.imageForStart(repository + ":1", keys: [key]).digest == digest)
        refusal(.failed, "there is no such image on this machine") {
            _ = try registry.update(registry.repository("team/other") + ":1", keys: [key])
        }
    }

    @Test("checking fetches nothing and verifies nothing")
    func check() throws {
        let registry = try RegistryFixture()
        let name = registry.repository("team/app") + ":1"
        let digest = try registry.publish("one", as: name, created: Self.january)
        let outcome = try registry.updater(keys: []).check(try ImageReference(name))
        #expect(outcome.new == digest)
        #expect(outcome.signature == .notChecked)
        #expect(try registry.names().isEmpty)
    }

    @Test("an image counts as checked only if it is this very one, by a key that is still listed")
    func startRefuses() throws {
        let registry = try RegistryFixture()
        let repository = registry.repository("team/app")
        let key = try registry.makeKey("a")
        let other = try registry.makeKey("b")
        let digest = try registry.publish("one", as: repository + ":1", created: Self.january)
        // Fetched with the check switched off: not checked.
        #expect(try registry.update(repository + ":1", keys: [], verify: false).signature == .switchedOff)
        #expect(try registry.imageForStart(repository + ":1", keys: [], verify: false).digest == digest)
        refusal(.integrity, "was not checked") { _ = try registry.imageForStart(repository + ":1", keys: [key]) }
        try registry.sign(repository, digest, key: "a")
        _ = try registry.update(repository + ":1", keys: [key])
        #expect(try registry.imageForStart(repository + ":1", keys: [key]).digest == digest)
        refusal(.integrity, "was not checked") { _ = try registry.imageForStart(repository + ":1", keys: [other]) }
        // Another image under the name.
        try registry.publish("two", as: registry.repository("x/y") + ":1", created: Self.february)
        _ = try registry.update(registry.repository("x/y") + ":1", keys: [], verify: false)
        #expect(try registry.podman.run(["tag", registry.repository("x/y") + ":1", repository + ":1"]).succeeded)
        refusal(.integrity, "was not checked") { _ = try registry.imageForStart(repository + ":1", keys: [key]) }
        // A broken record is no record.
        try File.replace(registry.paths.verifiedImages, with: "nonsense\n")
        refusal(.integrity, "line 1 is broken") { _ = try registry.imageForStart(repository + ":1", keys: [key]) }
    }

    @Test("with the check on, a missing, wrong or private key is an error before anything is fetched")
    func keys() throws {
        let registry = try RegistryFixture()
        let name = registry.repository("team/app") + ":1"
        try registry.publish("one", as: name, created: Self.january)
        _ = try registry.makeKey("a")
        refusal(.layerMissing, "registry.keys names no key") { _ = try registry.update(name, keys: []) }
        refusal(.failed, "cannot read") { _ = try registry.update(name, keys: ["/no/such/key.pub"]) }
        refusal(.usage, "private key") { _ = try registry.update(name, keys: [registry.folder.path + "/a.key"]) }
        let nonsense = try registry.folder.write("nonsense", "hello\n")
        refusal(.usage, "neither a PEM nor an OpenPGP") { _ = try registry.update(name, keys: [nonsense]) }
        let broken = try registry.folder.write("broken", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n")
        refusal(.failed, "public key") { _ = try registry.update(name, keys: [broken]) }
        #expect(try registry.names().isEmpty)
    }

    @Test("OpenPGP: signed by a listed key, by another one, by none")
    func openPGP() throws {
        let registry = try RegistryFixture()
        let key = try registry.makeOpenPGPKey("one@test.example")
        let other = try registry.makeOpenPGPKey("two@test.example")
        let signed = registry.repository("team/signed")
        let digest = try registry.publish("one", as: signed + ":1", created: Self.january, signer: "one@test.example")
        refusal(.integrity, "refused") { _ = try registry.update(signed + ":1", keys: [other]) }
        let unsigned = registry.repository("team/unsigned")
        try registry.publish("two", as: unsigned + ":1", created: Self.january)
        refusal(.integrity, "no signature exists") { _ = try registry.update(unsigned + ":1", keys: [key]) }
        #expect(try registry.names().isEmpty)
        #expect(try registry.update(signed + ":1", keys: [other, key]).new == digest)
        #expect(try registry.imageForStart(signed + ":1", keys: [other, key]).digest == digest)
    }

    @Test("an index of images for several machines: a signature of the index covers this machine's")
    func index() throws {
        let registry = try RegistryFixture()
        let repository = registry.repository("team/app")
        let key = try registry.makeKey("a")
        let layouts = [
            try registry.layout("here", created: Self.january),
            try registry.layout("there", created: Self.january, architecture: "s390x"),
        ]
        let index = try registry.pushIndex(layouts, to: repository + ":1")
        refusal(.integrity, "no signature") { _ = try registry.update(repository + ":1", keys: [key]) }
        try registry.sign(repository, index, key: "a")
        let outcome = try registry.update(repository + ":1", keys: [key])
        #expect(outcome.new != index)
        #expect(try registry.update(repository + ":1", keys: [key]).isNew == false)
        #expect(try registry.imageForStart(repository + ":1", keys: [key]).digest == outcome.new)
        let pinned = try registry.update("\(repository)@\(index)", keys: [key])
        #expect(try registry.imageForStart("\(repository)@\(index)", keys: [key]).digest == pinned.new)
    }

    @Test("the image's digest is the same before and after podman's storage, and its content is what was put in")
    func loading() throws {
        let registry = try RegistryFixture()
        let folder = registry.folder.path + "/layout"
        try Folder.make(folder)
        let layer = try ArchiveFixture.write(
            [(ArchiveFixture.file("content"), Array("x".utf8))], to: registry.folder.path + "/layer.tar")
        let recipe = ImageRecipe(name: "tiny", version: 3, description: "a test")
        let image = OCIImage(
            recipe: recipe, architecture: ImageIndex.architecture, created: Self.january,
            labels: [ImageLabel.name: "tiny", ImageLabel.recipe: try ImageDigest.of(recipe.canonicalText).hexadecimal],
            layer: layer.result)
        let layout = OCILayout(folder: folder)
        let digests = try layout.write(image, layer: layer.path)
        let stored = try layout.load(digests, as: recipe.reference, registry.podman)
        #expect(stored.digest == digests.manifest)
        #expect(stored.id == digests.configuration.hexadecimal)
        #expect(stored.layers == [layer.result.digest])
        #expect(try registry.names() == ["localhost/aibox/tiny:3"])
        #expect(try stored.isBuilt(from: recipe))
        #expect(try ImageStore(podman: registry.podman).built().map(\.reference) == ["localhost/aibox/tiny:3"])
        var changed = recipe
        changed.folders = ["/x"]
        #expect(try !stored.isBuilt(from: changed))
    }
}
