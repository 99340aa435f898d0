import AiboxSystem
import Glibc

/// Reads a tar archive from a descriptor, front to back: ustar with pax headers (POSIX.1-2017, pax, "pax
/// Interchange Format") and GNU long names.
final class TarReader {
    private let source: Descriptor
    private var buffer: [UInt8]
    private var start = 0
    private var end = 0
    /// Content and padding of the current entry that have not been read.
    private var content = 0
    private var padding = 0
    private let observe: ((UnsafeRawBufferPointer) throws(AiboxError) -> Void)?

    /// - Parameter observe: sees every byte of the archive once, in order, up to where it was read; `drain` reads to
    ///   the end.
    init(_ source: Descriptor, observe: ((UnsafeRawBufferPointer) throws(AiboxError) -> Void)? = nil) {
        self.source = source
        self.observe = observe
        buffer = [UInt8](repeating: 0, count: 1 << 20)
    }

    /// The next member, or nil at the end. Content of the last one that was not read is skipped.
    func next() throws(AiboxError) -> TarEntry? {
        try skip(content + padding)
        content = 0
        padding = 0
        var extended = Extended()
        while true {
            guard let header = try block() else { return nil }
            guard let fields = try TarHeader(header) else { return nil }
            switch fields.type {
            case UInt8(ascii: "x"): try extended.read(pax: try small(fields.size))
            case UInt8(ascii: "g"): _ = try small(fields.size)
            case UInt8(ascii: "L"): extended.path = try Self.longName(try small(fields.size))
            case UInt8(ascii: "K"): extended.linkTarget = try Self.longName(try small(fields.size))
            default: return try entry(fields, extended)
            }
        }
    }

    /// All content of the current entry, at most `limit` bytes.
    func readContent(limit: Int = 64 << 20) throws(AiboxError) -> [UInt8] {
        guard content <= limit else { throw .badArchive("a file that has to be edited is larger than \(limit) bytes") }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(content)
        try forEachChunk { (chunk: UnsafeRawBufferPointer) throws(AiboxError) in bytes.append(contentsOf: chunk) }
        return bytes
    }

    /// Hands the content of the current entry on, piece by piece, without a copy.
    func forEachChunk(_ body: (UnsafeRawBufferPointer) throws(AiboxError) -> Void) throws(AiboxError) {
        while content > 0 {
            if start == end, try !fill() { throw .badArchive("it ends in the middle of a file") }
            let count = min(content, end - start)
            do {
                try buffer.withUnsafeBytes { bytes in
                    try body(UnsafeRawBufferPointer(rebasing: bytes[start..<start + count]))
                }
            } catch let error as AiboxError {
                throw error
            } catch {
                throw .badArchive("\(error)")
            }
            start += count
            content -= count
        }
    }

    /// Reads to the end of the stream, so that its writer does not die of a closed pipe.
    func drain() throws(AiboxError) {
        repeat { start = end } while try fill()
    }

    private func entry(_ fields: TarHeader, _ extended: Extended) throws(AiboxError) -> TarEntry {
        let target = extended.linkTarget ?? fields.linkTarget
        let kind: TarEntry.Kind
        switch fields.type {
        case 0, UInt8(ascii: "0"), UInt8(ascii: "7"): kind = .file
        case UInt8(ascii: "1"): kind = .hardLink(target: TarEntry.normalised(target))
        case UInt8(ascii: "2"): kind = .symbolicLink(target: target)
        case UInt8(ascii: "5"): kind = .folder
        default: kind = .special(fields.type)
        }
        let size = extended.size ?? fields.size
        content = kind == .file ? size : 0
        padding = (512 - content % 512) % 512
        return TarEntry(
            path: TarEntry.normalised(extended.path ?? fields.path), kind: kind, mode: fields.mode, uid: fields.uid,
            gid: fields.gid, size: content, modified: extended.modified ?? fields.modified,
            hasAttributes: extended.hasAttributes)
    }

    private static func longName(_ bytes: [UInt8]) throws(AiboxError) -> String {
        try TarHeader.text(bytes[...])
    }
}

// MARK: - Bytes

extension TarReader {
    /// One block of 512 bytes, or nil at the end of the stream.
    private func block() throws(AiboxError) -> [UInt8]? {
        var block: [UInt8] = []
        while block.count < 512 {
            if start == end, try !fill() {
                if block.isEmpty { return nil }
                throw .badArchive("it ends in the middle of a header")
            }
            let count = min(512 - block.count, end - start)
            block.append(contentsOf: buffer[start..<start + count])
            start += count
        }
        return block
    }

    /// The content of an extended header with its padding taken off.
    private func small(_ size: Int) throws(AiboxError) -> [UInt8] {
        guard size <= 1 << 20 else { throw .badArchive("an extended header has \(size) bytes") }
        content = size
        let bytes = try readContent()
        try skip((512 - size % 512) % 512)
        return bytes
    }

    private func skip(_ count: Int) throws(AiboxError) {
        var left = count
        while left > 0 {
            if start == end, try !fill() { throw .badArchive("it ends in the middle of a file") }
            let step = min(left, end - start)
            start += step
            left -= step
        }
    }

    private func fill() throws(AiboxError) -> Bool {
        let count = try retrying("cannot read the file system archive") {
            buffer.withUnsafeMutableBytes { read(source.number, $0.baseAddress, $0.count) }
        }
        start = 0
        end = count
        if let observe, count > 0 {
            do {
                try buffer.withUnsafeBytes { try observe(UnsafeRawBufferPointer(rebasing: $0[..<count])) }
            } catch let error as AiboxError {
                throw error
            } catch {
                throw .badArchive("\(error)")
            }
        }
        return count > 0
    }
}

// MARK: - Extended headers

/// What a pax or GNU header says about the entry that follows it.
private struct Extended {
    var path: String?
    var linkTarget: String?
    var size: Int?
    var modified: Int?
    var hasAttributes = false

    /// Records of the form `LENGTH KEY=VALUE\n`, the length counting itself and the newline.
    mutating func read(pax bytes: [UInt8]) throws(AiboxError) {
        var rest = bytes[...]
        while !rest.isEmpty {
            guard let space = rest.firstIndex(of: UInt8(ascii: " ")),
                let length = Int(String(decoding: rest[..<space], as: UTF8.self)), length > space - rest.startIndex + 1,
                length <= rest.count
            else { throw .badArchive("a pax header makes no sense") }
            let record = rest[(space + 1)..<(rest.startIndex + length - 1)]
            rest = rest[(rest.startIndex + length)...]
            guard let equals = record.firstIndex(of: UInt8(ascii: "=")) else {
                throw .badArchive("a pax header makes no sense")
            }
            let value = record[(equals + 1)...]
            switch String(decoding: record[..<equals], as: UTF8.self) {
            case "path": path = try TarHeader.text(value)
            case "linkpath": linkTarget = try TarHeader.text(value)
            case "size": size = try TarHeader.decimal(value)
            case "mtime": modified = try TarHeader.decimal(value.prefix { $0 != UInt8(ascii: ".") })
            case let key where key.hasPrefix("SCHILY.xattr."): hasAttributes = true
            default: break
            }
        }
    }
}
