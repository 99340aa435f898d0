/// What is mounted where: `/proc/self/mountinfo` (proc(5)).
public struct MountTable: Sendable {
    public struct Mount: Sendable, Equatable {
        public var target: String
        public var fileSystem: String
    }

    public let mounts: [Mount]

    /// Parses the text of `mountinfo`. Lines that do not look like one are passed over.
    public init(text: String) {
        mounts = text.split(separator: "\n").compactMap { line in
            let halves = line.split(separator: " - ", maxSplits: 1)
            guard halves.count == 2 else { return nil }
            let left = halves[0].split(separator: " ")
            let right = halves[1].split(separator: " ")
            guard left.count >= 5, let kind = right.first else { return nil }
            return Mount(target: Self.unescaped(String(left[4])), fileSystem: String(kind))
        }
    }

    /// The mounts of this process.
    public static var current: MountTable {
        MountTable(text: (try? File.text("/proc/self/mountinfo")) ?? "")
    }

    /// The type of the file system that holds an absolute real path, or nil if unknown.
    public func fileSystem(of path: String) -> String? {
        // Of several mounts on one target the last one is on top.
        var best: Mount?
        for mount in mounts where Path.isInside(path, mount.target) {
            if let found = best, found.target.utf8.count > mount.target.utf8.count { continue }
            best = mount
        }
        return best?.fileSystem
    }

    /// True if something is mounted exactly there.
    public func isMountPoint(_ path: String) -> Bool { mounts.contains { $0.target == path } }

    /// The kernel writes space, tab, newline and backslash as three octal digits.
    private static func unescaped(_ text: String) -> String {
        guard text.utf8.contains(UInt8(ascii: "\\")) else { return text }
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "\\"), rest.count >= 3,
                let value = UInt8(String(decoding: rest.prefix(3), as: UTF8.self), radix: 8)
            {
                bytes.append(value)
                rest.removeFirst(3)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
