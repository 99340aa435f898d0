import AiboxSystem
import CLinux
import Glibc

/// The process that makes a call, as /proc shows it (proc(5)).
struct Caller {
    /// The calling thread, as the host counts.
    let thread: Int32
    /// The process and its user as the sandbox counts; nil where they cannot be known.
    let pid: Int32?
    let user: UInt32?
    let folder: [UInt8]

    init(thread: Int32) {
        self.thread = thread
        let status = Self.head("/proc/\(thread)/status")
        pid = Self.field("NStgid", status).last.flatMap { Int32($0) }
        let outside = Self.field("Uid", status).dropFirst().first.flatMap { UInt32($0) }
        let map = Self.head("/proc/\(thread)/uid_map")
        user = outside.flatMap { Self.inside($0, map) }
        folder = Self.target("/proc/\(thread)/cwd")
    }

    /// The file that a path means to this process: its name in the end, whatever links lead there.
    enum Found: Equatable {
        case file([UInt8])
        /// There is none, for sure: the file system that would have it says so, and it says the same to everybody.
        case none
        /// It cannot be told.
        case unknown
    }

    /// - Parameters:
    ///   - path: as it was given.
    ///   - base: the descriptor that a path may begin at (execveat(2)); nil: the working directory.
    func find(_ path: [UInt8], base: Int32?) -> Found {
        let start = base.map { Self.target("/proc/\(thread)/fd/\($0)") } ?? folder
        if path.isEmpty { return base != nil && !start.isEmpty ? .file(start) : .unknown }
        if path.first != UInt8(ascii: "/"), start.first != UInt8(ascii: "/") { return .unknown }
        let whole = path.first == UInt8(ascii: "/") ? path : start + [UInt8(ascii: "/")] + path
        let number = open("/proc/\(thread)/root", Self.pathOnly | O_DIRECTORY | O_CLOEXEC)
        if number < 0 { return .unknown }
        let root = Descriptor(number)
        let found = Self.inside(root, whole, follow: true)
        if found >= 0 {
            let file = Descriptor(found)
            let name = Self.target("/proc/self/fd/\(file.number)")
            return name.first == UInt8(ascii: "/") ? .file(name) : .unknown
        }
        return found == -ENOENT && Self.isMissing(whole, below: root) ? .none : .unknown
    }

    /// Looks for the first part of a path that is not there. Where proc would have it, this process sees another one.
    private static func isMissing(_ path: [UInt8], below root: Descriptor) -> Bool {
        let parts = path.split(separator: UInt8(ascii: "/"))
        if parts.count > 64 || parts.contains(where: { $0.elementsEqual(".".utf8) || $0.elementsEqual("..".utf8) }) {
            return false
        }
        for index in parts.indices.reversed() {
            let parent = inside(
                root, [UInt8(ascii: "/")] + parts[..<index].joined(separator: [UInt8(ascii: "/")]), follow: true)
            if parent == -ENOENT { continue }
            if parent < 0 { return false }
            let folder = Descriptor(parent)
            if aibox_is_process_file(folder.number) { return false }
            let child = inside(folder, Array(parts[index]), follow: false)
            if child >= 0 { close(child) }
            return child == -ENOENT
        }
        return false
    }

    /// O_PATH of open(2), which Glibc hides.
    private static let pathOnly: Int32 = 0o10_000_000

    private static func inside(_ root: Descriptor, _ path: [UInt8], follow: Bool) -> Int32 {
        (path + [0]).withUnsafeBytes { bytes in
            bytes.withMemoryRebound(to: CChar.self) { text in
                text.baseAddress.map { aibox_open_inside(root.number, $0, follow) } ?? -EINVAL
            }
        }
    }

    /// What a link says; empty where it cannot be read.
    private static func target(_ link: String) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: CallerWords.longestPath) { room, count in
            count = room.withMemoryRebound(to: CChar.self) { text in
                text.baseAddress.map { max(0, readlink(link, $0, text.count)) } ?? 0
            }
        }
    }

    /// A file of proc as far as it is asked for here; empty where it cannot be read.
    private static func head(_ path: String) -> String {
        let number = open(path, O_RDONLY | O_CLOEXEC)
        if number < 0 { return "" }
        defer { close(number) }
        return String(unsafeUninitializedCapacity: 4096) { max(0, read(number, $0.baseAddress, $0.count)) }
    }

    /// The words of a line `name: word word`.
    static func field(_ name: String, _ status: String) -> [Substring] {
        for line in status.split(separator: "\n") where line.hasPrefix(name + ":") {
            return line.dropFirst(name.utf8.count + 1).split { $0 == "\t" || $0 == " " }
        }
        return []
    }

    /// A user in a user namespace whose map this is (user_namespaces(7)): lines of first inside, first outside, how many.
    static func inside(_ user: UInt32, _ map: String) -> UInt32? {
        for line in map.split(separator: "\n") {
            let numbers = line.split(separator: " ").compactMap { UInt64($0) }
            guard numbers.count == 3, numbers[1] <= UInt64(user), UInt64(user) - numbers[1] < numbers[2] else {
                continue
            }
            return UInt32(exactly: numbers[0] + UInt64(user) - numbers[1])
        }
        return nil
    }
}
