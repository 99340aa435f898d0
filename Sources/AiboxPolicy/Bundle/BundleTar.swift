/// Tar archives of bundles: ustar (POSIX.1-2017, pax, "ustar Interchange Format") with ordinary files and folders, and
/// nothing else. Read in memory and never unpacked to a disk, so that no name in it leads anywhere.
enum BundleTar {
    static let largestCount = 1024
    private static let block = 512

    /// The files of an archive, in its order.
    static func read(_ bytes: [UInt8]) throws(BundleFault) -> [BundleFile] {
        var files: [BundleFile] = []
        var names: Set<String> = []
        var headers = 0
        var position = 0
        while position + block <= bytes.count {
            let header = bytes[position..<position + block]
            if header.allSatisfy({ $0 == 0 }) {
                guard bytes[position...].allSatisfy({ $0 == 0 }) else {
                    throw BundleFault("something follows the end of its archive")
                }
                return files
            }
            headers += 1
            if headers > 4 * largestCount { throw BundleFault("it has more than \(largestCount) files") }
            let entry = try BundleTarHeader(Array(header))
            position += block
            guard entry.size <= bytes.count - position else { throw BundleFault("its archive is cut short") }
            let content = bytes[position..<position + entry.size]
            position += (entry.size + block - 1) / block * block
            switch entry.type {
            case 0, UInt8(ascii: "0"):
                let name = try BundleTarHeader.fileName(entry.path)
                guard names.insert(name).inserted else { throw BundleFault("it holds \(name) twice") }
                if files.count == largestCount { throw BundleFault("it has more than \(largestCount) files") }
                files.append(BundleFile(name: name, bytes: Array(content)))
            case UInt8(ascii: "5") where entry.size == 0: break
            case UInt8(ascii: "x"), UInt8(ascii: "g"): try ignore(pax: content)
            default: throw BundleFault("\(entry.path) is neither a file nor a folder")
            }
        }
        throw BundleFault("its archive is cut short")
    }

    /// Extended headers that tell of times and owners change nothing here; one that names or sizes a file would.
    private static func ignore(pax content: ArraySlice<UInt8>) throws(BundleFault) {
        var rest = content
        while !rest.isEmpty {
            // `LENGTH KEY=VALUE\n`, the length counting all of it.
            guard let space = rest.firstIndex(of: UInt8(ascii: " ")), space - rest.startIndex <= 8,
                let length = Int(String(decoding: rest[..<space], as: UTF8.self)), length <= rest.count,
                length > space - rest.startIndex + 1, let equals = rest[space...].firstIndex(of: UInt8(ascii: "=")),
                equals < rest.startIndex + length
            else { throw BundleFault("an extended header of its archive makes no sense") }
            let key = String(decoding: rest[(space + 1)..<equals], as: UTF8.self)
            guard ["mtime", "atime", "ctime", "uid", "gid", "uname", "gname", "comment"].contains(key) else {
                throw BundleFault("an extended header of its archive says \(key.prefix(40)): pack it as ustar")
            }
            rest = rest[(rest.startIndex + length)...]
        }
    }

    /// An archive whose bytes are a function of the files alone.
    static func write(_ files: [BundleFile]) throws(BundleFault) -> [UInt8] {
        var bytes: [UInt8] = []
        for file in files {
            bytes += try BundleTarHeader.bytes(name: file.name, size: file.bytes.count)
            bytes += file.bytes
            bytes += [UInt8](repeating: 0, count: (block - file.bytes.count % block) % block)
        }
        return bytes + [UInt8](repeating: 0, count: 2 * block)
    }
}

/// One header block.
struct BundleTarHeader {
    let path: String
    let size: Int
    let type: UInt8

    init(_ block: [UInt8]) throws(BundleFault) {
        guard block[257..<262].elementsEqual("ustar".utf8) else { throw BundleFault("it is no tar archive (ustar)") }
        guard try Self.octal(block[148..<156]) == Self.checksum(block) else {
            throw BundleFault("a header of its archive is damaged")
        }
        let name = try Self.text(block[0..<100])
        // GNU's own form keeps other things where ustar has the beginning of a long name.
        let prefix = block[262] == 0 ? try Self.text(block[345..<500]) : ""
        path = prefix.isEmpty ? name : prefix + "/" + name
        size = try Self.octal(block[124..<136])
        type = block[156]
    }

    /// The name of a file without what some programs put before it: `./policy.yaml`, `/policy.yaml`.
    static func fileName(_ path: String) throws(BundleFault) -> String {
        let rest = path.hasPrefix("./") ? path.dropFirst(2) : path.hasPrefix("/") ? path.dropFirst() : path[...]
        let parts = rest.split(separator: "/", omittingEmptySubsequences: false)
        let isPlain =
            parts.count <= 16 && rest.utf8.count <= 255
            && parts.allSatisfy { !$0.isEmpty && $0 != "." && $0 != ".." }
            && rest.unicodeScalars.allSatisfy { $0.value >= 0x20 && !(0x7f...0x9f).contains($0.value) && $0 != "\\" }
        if isPlain { return String(rest) }
        throw BundleFault("its archive holds a file that is named \(path.prefix(80))")
    }

    private static func text(_ bytes: ArraySlice<UInt8>) throws(BundleFault) -> String {
        guard let text = String(validating: bytes.prefix { $0 != 0 }, as: UTF8.self) else {
            throw BundleFault("a file name in it is no UTF-8")
        }
        return text
    }

    private static func octal(_ bytes: ArraySlice<UInt8>) throws(BundleFault) -> Int {
        let digits = bytes.drop { $0 == 0x20 }.prefix { $0 != 0 && $0 != 0x20 }
        guard digits.allSatisfy({ (0x30...0x37).contains($0) }), digits.count <= 11 else {
            throw BundleFault("a number in its archive makes no sense")
        }
        return digits.reduce(0) { $0 << 3 | Int($1 - 0x30) }
    }

    /// The sum of all bytes, those of the checksum taken as spaces.
    private static func checksum(_ block: [UInt8]) -> Int {
        var sum = 8 * 0x20
        for (index, byte) in block.enumerated() where !(148..<156).contains(index) { sum += Int(byte) }
        return sum
    }

    static func bytes(name: String, size: Int) throws(BundleFault) -> [UInt8] {
        guard try fileName(name) == name, let (prefix, rest) = split(name), size < 1 << 33 else {
            throw BundleFault("\(name) has too long a name for a tar archive")
        }
        var block = [UInt8](repeating: 0, count: 512)
        func put(_ text: String, at offset: Int) {
            for (index, byte) in text.utf8.enumerated() { block[offset + index] = byte }
        }
        func octal(_ number: Int, _ digits: Int) -> String {
            let text = String(number, radix: 8)
            return String(repeating: "0", count: digits - text.utf8.count) + text
        }
        put(rest, at: 0)
        put("0000644", at: 100)
        put("0000000", at: 108)
        put("0000000", at: 116)
        put(octal(size, 11), at: 124)
        put("00000000000", at: 136)
        put("0", at: 156)
        put("ustar", at: 257)
        put("00", at: 263)
        put(prefix, at: 345)
        put(octal(checksum(block), 6), at: 148)
        block[155] = 0x20
        return block
    }

    /// What goes into the fields of 155 and of 100 bytes; nil if nothing does.
    private static func split(_ name: String) -> (prefix: String, name: String)? {
        if name.utf8.count <= 100 { return ("", name) }
        let parts = name.split(separator: "/")
        for count in stride(from: parts.count - 1, to: 0, by: -1) {
            let prefix = parts[..<count].joined(separator: "/")
            let rest = parts[count...].joined(separator: "/")
            if prefix.utf8.count <= 155, rest.utf8.count <= 100 { return (prefix, rest) }
        }
        return nil
    }
}
