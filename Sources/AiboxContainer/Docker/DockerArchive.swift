import AiboxSystem
import AiboxWire
import Glibc

/// An image with one layer as `docker load` reads it (Docker image specification 1.2: `manifest.json`, the configuration,
/// the layer's archive).
struct DockerArchive {
    /// The image's configuration (OCI image specification).
    let configuration: JSONValue
    /// The layer's archive, uncompressed.
    let layer: String
    let reference: String

    /// Writes the archive.
    ///
    /// - Parameters:
    ///   - exchanging: gives what belongs to 0 to 1000 and the other way round, for a rootless daemon.
    ///   - folder: has room for the layer twice.
    /// - Returns: the archive's path, and the digests of the layers in it.
    func write(
        exchanging: Bool, in folder: String
    ) throws(AiboxError) -> (path: String, layers: [ImageDigest]) {
        var layer = layer
        var configuration = configuration
        if exchanging {
            let path = folder + "/exchanged.tar"
            configuration = try exchanged(try Self.exchangeOwners(layer, to: path))
            layer = path
        }
        let bytes = configuration.bytes
        let id = try ImageDigest.of(bytes).hexadecimal
        let path = folder + "/docker.tar"
        let writer = try TarWriter(try Self.create(path), name: path)
        let manifest: JSONValue = [
            ["Config": .string(id + ".json"), "RepoTags": [.string(reference)], "Layers": ["layer.tar"]]
        ]
        try writer.add(Self.member("manifest.json"), manifest.bytes)
        try writer.add(Self.member(id + ".json"), bytes)
        try Self.copy(layer, to: writer)
        _ = try writer.finish()
        if exchanging { try File.remove(layer) }
        let layers = configuration["rootfs"]?["diff_ids"]?.elements ?? []
        return (path, layers.compactMap { $0.stringValue.flatMap { ImageDigest($0) } })
    }

    private func exchanged(_ layer: LayerArchive) throws(AiboxError) -> JSONValue {
        guard case .object(var document) = configuration, case .object(var settings)? = document["config"],
            case .object(var labels)? = settings["Labels"], case .object(var rootfs)? = document["rootfs"],
            rootfs["diff_ids"]?.elements?.count == 1
        else { throw AiboxError(.failed, "cannot change the owners in an image that aibox did not build") }
        labels[DockerImages.exchanged] = "exchanged"
        settings["Labels"] = .object(labels)
        document["config"] = .object(settings)
        rootfs["diff_ids"] = [.string(layer.digest.description)]
        document["rootfs"] = .object(rootfs)
        return .object(document)
    }

    /// The same archive with the owners 0 and 1000 exchanged.
    static func exchangeOwners(_ layer: String, to path: String) throws(AiboxError) -> LayerArchive {
        func other(_ id: Int) -> Int { id == 0 ? 1000 : id == 1000 ? 0 : id }
        let reader = TarReader(try open(layer))
        let writer = try TarWriter(try create(path), name: path)
        while var entry = try reader.next() {
            entry.uid = other(entry.uid)
            entry.gid = other(entry.gid)
            try writer.begin(entry)
            try reader.forEachChunk(writer.append)
            try writer.end(entry)
        }
        return try writer.finish()
    }

    private static func copy(_ layer: String, to writer: TarWriter) throws(AiboxError) {
        let source = try open(layer)
        var facts = stat()
        if fstat(source.number, &facts) != 0 { throw .system("cannot look at \(layer)", errno: errno) }
        var entry = member("layer.tar")
        entry.size = Int(facts.st_size)
        try writer.begin(entry)
        var chunk = [UInt8](repeating: 0, count: 1 << 20)
        var left = entry.size
        while left > 0 {
            let count = try retrying("cannot read \(layer)") { read(source.number, &chunk, min(left, chunk.count)) }
            if count == 0 { throw .badArchive("\(layer) became shorter") }
            do {
                try chunk.withUnsafeBytes { try writer.append(UnsafeRawBufferPointer(rebasing: $0[..<count])) }
            } catch let error as AiboxError {
                throw error
            } catch {
                throw .badArchive("\(error)")
            }
            left -= count
        }
        try writer.end(entry)
    }

    private static func member(_ name: String) -> TarEntry {
        TarEntry(path: name, kind: .file, mode: 0o644, uid: 0, gid: 0, size: 0, modified: 0)
    }

    private static func open(_ path: String) throws(AiboxError) -> Descriptor {
        Descriptor(try retrying("cannot read \(path)") { Glibc.open(path, O_RDONLY | O_CLOEXEC) })
    }

    private static func create(_ path: String) throws(AiboxError) -> Descriptor {
        Descriptor(
            try retrying("cannot write \(path)") { Glibc.open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600) })
    }
}
