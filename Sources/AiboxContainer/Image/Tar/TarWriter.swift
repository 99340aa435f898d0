import AiboxCrypto
import AiboxSystem

/// A finished archive.
struct LayerArchive: Sendable, Equatable {
    var digest: ImageDigest
    /// Bytes.
    var size: Int
}

/// Writes a tar archive whose bytes are a function of the entries alone: ustar, with a pax header only where a
/// path does not fit, numeric owners, whole seconds, no device numbers.
final class TarWriter {
    private let target: Descriptor
    private let name: String
    private let hash: SHA256
    private var pending: [UInt8] = []
    private var written = 0

    /// - Parameter name: what error messages call the file.
    init(_ target: Descriptor, name: String) throws(AiboxError) {
        hash = try SHA256()
        self.target = target
        self.name = name
        pending.reserveCapacity(2 << 20)
    }

    /// Begins an entry; exactly `entry.size` bytes have to follow by `append`.
    func begin(_ entry: TarEntry) throws(AiboxError) {
        var path = entry.path
        if entry.kind == .folder { path = path.isEmpty ? "./" : path + "/" }
        var records: [(key: String, value: String)] = []
        let split = Self.split(path)
        if split == nil { records.append(("path", path)) }
        var target = ""
        switch entry.kind {
        case .symbolicLink(let to), .hardLink(let to): target = to
        case .file, .folder: break
        case .special: throw .badArchive("\(entry.path) is a device")
        }
        if target.utf8.count > 100 { records.append(("linkpath", target)) }
        guard entry.size < 1 << 33 else { throw .badArchive("\(entry.path) is larger than 8 GiB") }
        if !records.isEmpty { try extended(records, for: entry) }
        let (prefix, name) = split ?? ("", Self.cut(path))
        try put(
            Self.header(
                prefix: prefix, name: name, type: Self.type(entry.kind), mode: entry.mode, uid: entry.uid,
                gid: entry.gid, size: entry.size, modified: entry.modified, target: Self.cut(target)))
    }

    func append(_ bytes: UnsafeRawBufferPointer) throws(AiboxError) {
        pending.append(contentsOf: bytes)
        if pending.count > 1 << 20 { try flush() }
    }

    /// Fills the last block of the content.
    func end(_ entry: TarEntry) throws(AiboxError) {
        try put([UInt8](repeating: 0, count: (512 - entry.size % 512) % 512))
    }

    /// A whole entry with its content in memory.
    func add(_ entry: TarEntry, _ bytes: [UInt8] = []) throws(AiboxError) {
        var entry = entry
        entry.size = bytes.count
        try begin(entry)
        try put(bytes)
        try end(entry)
    }

    /// Ends the archive with its two blocks of zeros, and tells the digest and size of the whole.
    func finish() throws(AiboxError) -> LayerArchive {
        try put([UInt8](repeating: 0, count: 1024))
        try flush()
        return LayerArchive(digest: ImageDigest(try hash.finish()), size: written)
    }

    private func put(_ bytes: [UInt8]) throws(AiboxError) {
        pending.append(contentsOf: bytes)
        if pending.count > 1 << 20 { try flush() }
    }

    private func flush() throws(AiboxError) {
        try File.writeAll(pending, to: target, name)
        try hash.update(pending)
        written += pending.count
        pending.removeAll(keepingCapacity: true)
    }
}

// MARK: - Headers

extension TarWriter {
    private func extended(_ records: [(key: String, value: String)], for entry: TarEntry) throws(AiboxError) {
        var body: [UInt8] = []
        for record in records { body += Array(Self.record(record.key, record.value).utf8) }
        try put(
            Self.header(
                prefix: "", name: "PaxHeader", type: UInt8(ascii: "x"), mode: 0o644, uid: 0, gid: 0, size: body.count,
                modified: entry.modified, target: ""))
        try put(body)
        try put([UInt8](repeating: 0, count: (512 - body.count % 512) % 512))
    }

    /// `LENGTH KEY=VALUE\n`, where the length counts its own digits.
    static func record(_ key: String, _ value: String) -> String {
        let rest = key.utf8.count + value.utf8.count + 3
        var length = rest + String(rest).utf8.count
        if String(length).utf8.count != String(rest).utf8.count { length = rest + String(length).utf8.count }
        return "\(length) \(key)=\(value)\n"
    }

    /// A path as ustar's prefix and name, or nil if it fits in neither way.
    private static func split(_ path: String) -> (prefix: String, name: String)? {
        if path.utf8.count <= 100 { return ("", path) }
        let bytes = Array(path.utf8)
        for index in bytes.indices.reversed() where bytes[index] == UInt8(ascii: "/") && index < bytes.count - 1 {
            if bytes.count - index - 1 > 100 { return nil }
            if index <= 155 {
                return (
                    String(decoding: bytes[..<index], as: UTF8.self),
                    String(decoding: bytes[(index + 1)...], as: UTF8.self)
                )
            }
        }
        return nil
    }

    /// What old readers see of a path that is in the pax header: its first 100 bytes.
    private static func cut(_ text: String) -> String { String(decoding: text.utf8.prefix(100), as: UTF8.self) }

    private static func type(_ kind: TarEntry.Kind) -> UInt8 {
        switch kind {
        case .file: UInt8(ascii: "0")
        case .hardLink: UInt8(ascii: "1")
        case .symbolicLink: UInt8(ascii: "2")
        case .folder: UInt8(ascii: "5")
        case .special(let type): type
        }
    }

    private static func header(
        prefix: String, name: String, type: UInt8, mode: UInt32, uid: Int, gid: Int, size: Int, modified: Int,
        target: String
    ) -> [UInt8] {
        var block = [UInt8](repeating: 0, count: 512)
        func set(_ offset: Int, _ text: String, _ room: Int) {
            for (index, byte) in text.utf8.prefix(room).enumerated() { block[offset + index] = byte }
        }
        func number(_ offset: Int, _ value: Int, _ digits: Int) {
            let text = String(max(0, value), radix: 8)
            set(offset, String(repeating: "0", count: max(0, digits - text.count)) + text, digits)
        }
        set(0, name, 100)
        number(100, Int(mode), 7)
        number(108, uid, 7)
        number(116, gid, 7)
        number(124, size, 11)
        number(136, modified, 11)
        block[156] = type
        set(157, target, 100)
        set(257, "ustar", 5)
        set(263, "00", 2)
        set(345, prefix, 155)
        number(148, TarHeader.checksum(block), 6)
        block[155] = 0x20
        return block
    }
}
