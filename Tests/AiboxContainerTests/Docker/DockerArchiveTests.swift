import AiboxSystem
import AiboxTestSupport
import AiboxWire
import Glibc
import Testing

@testable import AiboxContainer

@Suite("An image for docker load")
struct DockerArchiveTests {
    private static let entries: [(TarEntry, [UInt8])] = [
        (TarEntry(path: "usr", kind: .folder, mode: 0o755, uid: 0, gid: 0, size: 0, modified: 7), []),
        (TarEntry(path: "usr/a", kind: .file, mode: 0o640, uid: 0, gid: 42, size: 3, modified: 7), [1, 2, 3]),
        (TarEntry(path: "home", kind: .folder, mode: 0o755, uid: 1000, gid: 1000, size: 0, modified: 7), []),
        (
            TarEntry(
                path: "l", kind: .symbolicLink(target: "usr/a"), mode: 0o777, uid: 0, gid: 0, size: 0, modified: 7), []
        ),
    ]

    private static func layer(_ path: String) throws -> LayerArchive {
        let writer = try TarWriter(Descriptor(open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)), name: path)
        for (entry, bytes) in entries { try writer.add(entry, bytes) }
        return try writer.finish()
    }

    private static func read(_ path: String) throws -> [(entry: TarEntry, bytes: [UInt8])] {
        let reader = TarReader(Descriptor(open(path, O_RDONLY | O_CLOEXEC)))
        var members: [(TarEntry, [UInt8])] = []
        while let entry = try reader.next() { members.append((entry, try reader.readContent())) }
        return members
    }

    @Test("owners 0 and 1000 are exchanged for a rootless daemon, and nothing else changes", arguments: [true, false])
    func archive(exchanging: Bool) throws {
        let folder = try TemporaryFolder()
        let layer = try Self.layer(folder.path + "/layer")
        let configuration: JSONValue = [
            "config": ["Labels": ["aibox.image.name": "base"]],
            "rootfs": ["type": "layers", "diff_ids": [.string(layer.digest.description)]],
        ]
        let archive = DockerArchive(
            configuration: configuration, layer: folder.path + "/layer", reference: "localhost/aibox/base:1")
        let written = try archive.write(exchanging: exchanging, in: folder.path)
        let members = try Self.read(written.path)
        let id = try ImageDigest.of(members[1].bytes).hexadecimal
        #expect(members.map(\.entry.path) == ["manifest.json", id + ".json", "layer.tar"])
        let inner = folder.path + "/inner"
        try File.replace(inner, with: members[2].bytes)
        let digest = try ImageDigest.of(members[2].bytes).description
        let document = try JSONParser.parse(members[1].bytes)
        #expect(document["rootfs"]?["diff_ids"] == [.string(digest)])
        #expect(written.layers.map(\.description) == [digest])
        #expect((document["config"]?["Labels"]?[DockerImages.exchanged] != nil) == exchanging)
        for ((entry, bytes), found) in zip(Self.entries, try Self.read(inner)) {
            var expected = entry
            if exchanging {
                expected.uid = [0: 1000, 1000: 0][entry.uid] ?? entry.uid
                expected.gid = [0: 1000, 1000: 0][entry.gid] ?? entry.gid
            }
            #expect(found.entry == expected && found.bytes == bytes)
        }
        #expect(digest == layer.digest.description || exchanging)
    }

    @Test("an image of more layers is refused, not half changed")
    func layers() throws {
        let folder = try TemporaryFolder()
        _ = try Self.layer(folder.path + "/layer")
        let archive = DockerArchive(
            configuration: ["config": ["Labels": [:]], "rootfs": ["diff_ids": ["sha256:1", "sha256:2"]]],
            layer: folder.path + "/layer", reference: "localhost/a:1")
        #expect(throws: AiboxError.self) { try archive.write(exchanging: true, in: folder.path) }
    }
}
