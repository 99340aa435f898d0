import AiboxSystem
import AiboxTestSupport
import Glibc
import Testing

@testable import AiboxContainer

@Suite("Checking an image against its recipe", .serialized)
struct ImageVerificationTests {
    private static let recipe = ImageRecipe(
        name: "small", version: 1, description: "a test", packages: ["bash"], folders: ["/workspace"],
        environment: ["LANG": "C.UTF-8"], overlay: ["etc/aibox/sshd_config": Array("Port 2222\n".utf8)])

    /// Puts an image made of `system` into podman's storage, as a build would.
    private func load(_ system: [(TarEntry, [UInt8])], _ registry: RegistryFixture) throws -> StoredImage {
        let folder = registry.folder.path + "/build"
        try Folder.removeTree(folder)
        try Folder.make(folder + "/layout")
        let input = try ArchiveFixture.write(system, to: folder + "/in.tar")
        let writer = try TarWriter(
            Descriptor(open(folder + "/layer.tar", O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)), name: "layer.tar")
        let content = try RootfsLayer(recipe: Self.recipe, epoch: 1_700_000_000).write(
            from: TarReader(Descriptor(open(input.path, O_RDONLY | O_CLOEXEC))), to: writer)
        return try store(folder, layer: try writer.finish(), versions: content.versions, registry)
    }

    private func store(
        _ folder: String, layer: LayerArchive, versions: [String: String], _ registry: RegistryFixture
    ) throws -> StoredImage {
        let labels = ImageLabel.of(
            Self.recipe, digest: try .of(Self.recipe.canonicalText),
            packages: try .of(Array(DpkgStatus.manifest(versions).utf8)), release: "test-amd64", created: 1_700_000_000)
        let image = OCIImage(
            recipe: Self.recipe, architecture: ImageIndex.architecture, created: 1_700_000_000, labels: labels,
            layer: layer)
        let layout = OCILayout(folder: folder + "/layout")
        let digests = try layout.write(image, layer: folder + "/layer.tar")
        return try layout.load(digests, as: Self.recipe.reference, registry.podman)
    }

    private func problems(
        _ image: StoredImage, _ registry: RegistryFixture, _ recipe: ImageRecipe = recipe, lock: PackageLock? = nil
    ) throws -> [String] {
        try ImageVerification(podman: registry.podman, recipe: recipe, lock: lock).findings(image)
            .filter { $0.problem != nil }.map(\.check)
    }

    @Test("an image as it was built has no problem; another recipe or another lock is one")
    func clean() throws {
        let registry = try RegistryFixture()
        let image = try load(ArchiveFixture.system, registry)
        #expect(try problems(image, registry) == [])
        var other = Self.recipe
        other.overlay["etc/aibox/sshd_config"] = Array("Port 22\n".utf8)
        #expect(
            try problems(image, registry, other) == ["built from this recipe", "the recipe's own files are unchanged"])
        let versions = ["bash": "5.2.15-2+b7", "dpkg": "1.21.22", "libc6:i386": "2.36"]
        #expect(try problems(image, registry, lock: PackageLock(identity: "x", date: 0, versions: versions)) == [])
        let older = PackageLock(identity: "x", date: 0, versions: versions.merging(["bash": "5.1"]) { $1 })
        #expect(try problems(image, registry, lock: older) == ["the versions are as locked"])
    }

    @Test("one byte changed in podman's storage is found")
    func changedFile() throws {
        let registry = try RegistryFixture()
        let image = try load(ArchiveFixture.system, registry)
        let found = try SystemCommandRunner().require(
            Command("find", [registry.storage + "/overlay", "-path", "*/diff/usr/bin/su"]), "find")
        let path = try #require(found.text.split(separator: "\n").first.map(String.init))
        var bytes = try File.read(path)
        bytes[0] ^= 1
        // In place, so that size and owner stay.
        let file = Descriptor(open(path, O_WRONLY | O_CLOEXEC))
        try File.writeAll(bytes, to: file, path)
        #expect(try problems(image, registry) == ["the files are those of the image"])
    }

    @Test(
        "an image that breaks a promise is found, whatever its labels say",
        arguments: [
            ("a setuid program", "usr/bin/evil", UInt32(0o4755), "no setuid or setgid program"),
            ("a setgid program", "usr/bin/evil", UInt32(0o2755), "no setuid or setgid program"),
            ("a host key", "etc/ssh/ssh_host_rsa_key", UInt32(0o600), "no SSH host key"),
            ("a machine id", "etc/machine-id", UInt32(0o444), "nothing of the building machine, no log, no cache"),
        ])
    func brokenPromise(_ name: String, _ path: String, _ mode: UInt32, _ check: String) throws {
        let registry = try RegistryFixture()
        let image = try forged(registry) { entries in entries.append((ArchiveFixture.file(path, mode: mode), [1])) }
        #expect(try problems(image, registry).contains(check))
    }

    @Test("an open account is found, and a missing one")
    func accounts() throws {
        let registry = try RegistryFixture()
        let check = "the user dev has the number 1000 and no password"
        for (path, find, replace) in [
            ("etc/shadow", "root:*:", "root::"), ("etc/shadow", "dev:*:", "dev:$6$x:"),
            ("etc/passwd", "dev:x:1000", "dev:x:1001"),
            ("etc/passwd", "sshd:x:101:", "sshd:x:0:"), ("etc/passwd", "dev:", "ved:"),
        ] {
            let image = try forged(registry) { entries in
                for index in entries.indices where entries[index].0.path == path {
                    let text = String(decoding: entries[index].1, as: UTF8.self)
                    #expect(text.contains(find))
                    entries[index].1 = Array(text.replacing(find, with: replace).utf8)
                }
            }
            #expect(try problems(image, registry) == [check], "\(replace)")
        }
    }

    /// An image with right labels around a layer that a build would not have made.
    private func forged(
        _ registry: RegistryFixture, _ change: (inout [(TarEntry, [UInt8])]) -> Void
    ) throws -> StoredImage {
        let folder = registry.folder.path + "/forged"
        try Folder.removeTree(folder)
        try Folder.make(folder + "/layout")
        let input = try ArchiveFixture.write(ArchiveFixture.system, to: folder + "/in.tar")
        let writer = try TarWriter(
            Descriptor(open(folder + "/right.tar", O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)), name: "right.tar")
        let content = try RootfsLayer(recipe: Self.recipe, epoch: 1_700_000_000).write(
            from: TarReader(Descriptor(open(input.path, O_RDONLY | O_CLOEXEC))), to: writer)
        _ = try writer.finish()
        var entries = try ArchiveFixture.read(folder + "/right.tar").map { ($0.entry, $0.content) }
        change(&entries)
        let layer = try ArchiveFixture.write(entries, to: folder + "/layer.tar")
        return try store(folder, layer: layer.result, versions: content.versions, registry)
    }
}
