import AiboxSystem
import AiboxTestSupport
import AiboxWire
import Glibc
import Testing

@testable import AiboxGateway

/// The memory that a call's words are read from is an adversary's.
@Suite("Words of a call")
struct CallerWordsTests {
    /// Pages of 4096 bytes; what is not among them is not there.
    private struct Pages {
        var pages: [UInt64: [UInt8]] = [:]
        var error = -Int(EFAULT)

        mutating func put(_ bytes: [UInt8], at address: UInt64) {
            for (offset, byte) in bytes.enumerated() {
                let place = address + UInt64(offset)
                pages[place / 4096, default: [UInt8](repeating: 0, count: 4096)][Int(place % 4096)] = byte
            }
        }

        mutating func put(addresses: [UInt64], at address: UInt64) {
            put(
                addresses.flatMap { value in (0..<8).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) } }, at: address
            )
        }

        func read(_ address: UInt64, _ room: UnsafeMutableRawBufferPointer) -> Int {
            #expect(address % 4096 + UInt64(room.count) <= 4096, "a read crosses a page")
            guard let page = pages[address / 4096] else { return error }
            let start = Int(address % 4096)
            room.copyBytes(from: page[start..<start + room.count])
            return room.count
        }
    }

    private static func words(_ pages: Pages, path: UInt64 = 0x1000, list: UInt64 = 0x10_0000) -> Result<
        CallerWords, CallerWords.Failure
    > {
        do throws(CallerWords.Failure) {
            return .success(try CallerWords(path: path, words: list, in: pages.read))
        } catch {
            return .failure(error)
        }
    }

    /// What the gateway makes of it.
    private static func process(_ words: CallerWords) throws -> TraceMessage.Process {
        let packet = CallPacket.execve(words, pid: 7, user: 1000, folder: Array("/w".utf8))
        guard case .execve(let process) = try TraceMessage(packet).point else {
            throw AiboxError(.failed, "another point")
        }
        return process
    }

    @Test(
        "path and words are read as they are, over the ends of pages, and reach the gateway with pid, user and folder")
    func ordinary() throws {
        var pages = Pages()
        pages.put(Array("/usr/bin/true\0".utf8), at: 0x1FFA)
        pages.put(Array("true\0--x\0\0".utf8), at: 0x5000)
        pages.put(addresses: [0x5000, 0x5005, 0x5009, 0], at: 0x10_0FF4)
        let words = try Self.words(pages, path: 0x1FFA, list: 0x10_0FF4).get()
        #expect(
            words == CallerWords(path: Array("/usr/bin/true".utf8), words: ["true", "--x", ""].map { Array($0.utf8) }))
        let process = try Self.process(words)
        #expect(process.program == Array("/usr/bin/true".utf8) && process.arguments == words.words)
        #expect(process.pid == 7 && process.user == 1000 && process.folder == Array("/w".utf8))
        #expect(!process.isCut && process.furtherArguments == 0)
    }

    @Test("a call that the kernel would fail fails alike, and closed memory is told from that")
    func broken() throws {
        var whole = Pages()
        whole.put(Array("/bin/true\0".utf8), at: 0x1000)
        whole.put(addresses: [0x5000, 0], at: 0x10_0000)
        whole.put(Array("true\0".utf8), at: 0x5000)
        var long = whole
        long.put([UInt8](repeating: UInt8(ascii: "/"), count: 8192), at: 0x20_0000)
        var wild = whole
        wild.put(addresses: [.max, 0], at: 0x10_0000)
        var endless = whole
        // The last word of its page is no end, and there is no next page.
        endless.put(addresses: [UInt64](repeating: 0x5000, count: 512), at: 0x10_0000)
        var closed = Pages()
        closed.error = -Int(EPERM)
        var gone = Pages()
        gone.error = -Int(ESRCH)
        let rows: [(String, Result<CallerWords, CallerWords.Failure>, CallerWords.Failure)] = [
            ("no path", Self.words(whole, path: 0), .call(EFAULT)),
            ("a path nowhere", Self.words(whole, path: .max), .call(EFAULT)),
            ("no end", Self.words(long, path: 0x20_0000), .call(ENAMETOOLONG)),
            ("words nowhere", Self.words(whole, list: 8), .call(EFAULT)),
            ("words at the end of all", Self.words(whole, list: .max), .call(EFAULT)),
            ("a word nowhere", Self.words(wild), .call(EFAULT)),
            ("a list without an end", Self.words(endless), .call(EFAULT)),
            ("closed", Self.words(closed), .closed), ("gone", Self.words(gone), .closed),
        ]
        for (description, result, expected) in rows {
            #expect(result == .failure(expected), "\(description)")
        }
        #expect(try Self.words(whole, list: 0).get().words == [])
    }

    @Test(
        "millions of words and words without end are read as far as they are kept, and the event says that there were more"
    )
    func bounded() throws {
        var pages = Pages()
        pages.put(Array("/bin/true\0".utf8), at: 0x1000)
        pages.put([UInt8](repeating: UInt8(ascii: "y"), count: 100_000) + [0], at: 0x50_0000)
        pages.put(Array("w\0".utf8), at: 0x5000)
        pages.put(addresses: [UInt64](repeating: 0x5000, count: 100_000) + [0], at: 0x10_0000)
        let many = try Self.words(pages).get()
        #expect(many.words.count == 64 && many.more == CallerWords.counted - 64)
        let process = try Self.process(many)
        #expect(process.arguments.count == 64 && process.furtherArguments == CallerWords.counted - 64)

        pages.put(addresses: [0x5000, 0x50_0000, 0x5000, 0], at: 0x80_0000)
        let long = try Self.process(try Self.words(pages, list: 0x80_0000).get())
        #expect(long.isCut && long.arguments.map(\.count) == [1, 4095] && long.furtherArguments == 1)
        #expect(CallPacket.execve(many, pid: nil, user: nil, folder: []).count < 32 << 10)
    }

    @Test("what waits for the gateway is bounded, and what had no room is counted, also with nothing behind it")
    func queue() throws {
        var queue = CallQueue()
        let packet = CallPacket.execve(
            CallerWords(path: [UInt8](repeating: 1, count: 4000)), pid: 1, user: 1, folder: [])
        for _ in 0..<2000 { queue.append(packet) }
        #expect(queue.dropped > 0 && queue.dropped < 2000)
        let kept = 2000 - Int(queue.dropped)
        var count = 0
        while let next = queue.next {
            #expect(try TraceMessage(next).dropped == queue.dropped)
            queue.sent()
            count += 1
        }
        #expect(count == kept && queue.isEmpty)
        queue.drop()
        let last = try TraceMessage(try #require(queue.next))
        #expect(last.point == .other(0) && last.dropped == queue.dropped)
        queue.sent()
        #expect(queue.isEmpty && queue.next == nil)
    }

    @Test("while the queue says that it has room the longest packet there can be is not dropped")
    func room() throws {
        let words = CallerWords(
            path: [UInt8](repeating: 1, count: CallerWords.longestPath - 1),
            words: (0..<TraceMessage.keptArguments).map { _ in
                [UInt8](repeating: 2, count: TraceMessage.keptBytes / TraceMessage.keptArguments + 1)
            },
            more: CallerWords.counted)
        let packet = CallPacket.execve(words, pid: 1, user: 1, folder: [UInt8](repeating: 3, count: 4096))
        #expect(packet.count <= CallQueue.longest)
        var queue = CallQueue()
        var count = 0
        while queue.hasRoom {
            queue.append([UInt8](repeating: 0, count: CallQueue.longest))
            count += 1
        }
        #expect(queue.dropped == 0 && count == CallQueue.limit / CallQueue.longest)
        queue.sent()
        #expect(queue.hasRoom)
    }

    @Test("who calls is told as the sandbox counts")
    func identity() {
        let rootless =
            "         0     100000       1000\n      1000       1001          1\n      1001     101000      64536\n"
        #expect(Caller.inside(1001, rootless) == 1000)
        #expect(Caller.inside(100_007, rootless) == 7)
        #expect(Caller.inside(5, rootless) == nil)
        #expect(Caller.inside(1000, "         0          0 4294967295\n") == 1000)
        #expect(Caller.inside(1, "x y z\n0 0\n") == nil)
        #expect(Caller.field("NStgid", "Name:\tNStgid: 9\nNStgid:\t13308\t3\n") == ["13308", "3"])
        #expect(Caller.field("Uid", "").isEmpty)
    }

    @Test("the file behind a path is found through links, and only a file that is surely missing is called missing")
    func find() throws {
        let folder = try TemporaryFolder(prefix: "aibox-call")
        let root = try #require(Path.real(folder.path))
        try File.replace(root + "/program", with: "x")
        try #require(symlink("program", root + "/link") == 0 && symlink("nowhere", root + "/dangling") == 0)
        let own = Caller(thread: getpid())
        func find(_ path: String) -> Caller.Found { own.find(Array(path.utf8), base: nil) }
        #expect(find(root + "/link") == .file(Array((root + "/program").utf8)))
        #expect(find(root + "/./program") == .file(Array((root + "/program").utf8)))
        #expect(find(root + "/missing") == .none)
        #expect(find(root + "/missing/further") == .none)
        #expect(find(root + "/dangling") == .unknown)
        #expect(find(root + "/missing/../program") == .unknown)
        // Another process sees other files there.
        #expect(find("/proc/self/nothing") == .unknown)
        #expect(find("") == .unknown)
        let open = Descriptor(Glibc.open(root + "/program", O_RDONLY | O_CLOEXEC))
        #expect(own.find([], base: open.number) == .file(Array((root + "/program").utf8)))
        #expect(own.user == geteuid() && own.pid != nil && !own.folder.isEmpty)
        #expect(Caller(thread: Int32.max).find(Array("/bin/true".utf8), base: nil) == .unknown)
    }

    @Test("of what a runtime says the listener's place is taken, and nonsense is no listener")
    func state() {
        #expect(ContainerProcessState(Array(#"{"fds":["seccompFd"],"pid":1,"state":{"id":"x"}}"#.utf8))?.listener == 0)
        #expect(ContainerProcessState(Array(#"{"fds":["other","seccompFd"]}"#.utf8))?.listener == 1)
        for text in ["", "{", "[]", #"{"fds":"seccompFd"}"#, #"{"fds":[]}"#, #"{"fds":[1]}"#] {
            #expect(ContainerProcessState(Array(text.utf8)) == nil, "\(text)")
        }
        let many = #"{"fds":["# + String(repeating: #""x","#, count: 8) + #""seccompFd"]}"#
        #expect(ContainerProcessState(Array(many.utf8)) == nil)
    }
}
