import Glibc

/// What a call of execve(2) asks for, read from the memory of its caller.
///
/// That memory is the sandbox's: every pointer may be wrong, every text without an end, and another thread may change all
/// of it the moment after. It is read once, in pieces that are bounded.
struct CallerWords: Equatable {
    var path: [UInt8] = []
    /// The first words; of one that is cut, a byte more than is kept, so that its reader sees the cut.
    var words: [[UInt8]] = []
    /// How many more there are, as far as they are counted.
    var more = 0

    /// Why there is nothing to tell of a call.
    enum Failure: Error, Equatable {
        /// The kernel fails such a call with this error.
        case call(Int32)
        /// The memory is closed to this process, or its owner is gone.
        case closed
    }

    /// Copies from an address; how many bytes, or a negative error number.
    typealias Memory = (_ address: UInt64, _ bytes: UnsafeMutableRawBufferPointer) -> Int

    /// Bytes that a path may have, its end included (limits.h, PATH_MAX).
    static let longestPath = 4096
    /// Words that are counted at all.
    static let counted = 4096

    init(path: [UInt8], words: [[UInt8]] = [], more: Int = 0) {
        self.path = path
        self.words = words
        self.more = more
    }

    /// - Parameters: the addresses of the path and of the list of words.
    init(path: UInt64, words list: UInt64, in memory: @escaping Memory) throws(Failure) {
        let reader = Reader(memory: memory)
        self.path = try reader.text(at: path, limit: Self.longestPath)
        if self.path.count == Self.longestPath { throw .call(ENAMETOOLONG) }
        if list == 0 { return }
        let addresses = try reader.addresses(at: list, limit: Self.counted)
        var room = TraceMessage.keptBytes
        for address in addresses.prefix(TraceMessage.keptArguments) {
            if room == 0 { break }
            let word = try reader.text(at: address, limit: room + 1)
            room -= min(room, word.count)
            words.append(word)
        }
        more = addresses.count - words.count
    }

    private struct Reader {
        let memory: Memory

        /// No read crosses the end of a page, behind which there may be nothing.
        private static let page: UInt64 = 4096
        /// Most words are shorter.
        private static let piece = 512

        /// The text up to its end, or its first `limit` bytes.
        func text(at address: UInt64, limit: Int) throws(Failure) -> [UInt8] {
            var text: [UInt8] = []
            while text.count < limit {
                let piece = try read(address &+ UInt64(text.count), min(limit - text.count, Self.piece))
                if let end = piece.firstIndex(of: 0) { return text + piece[..<end] }
                text += piece
            }
            return text
        }

        /// The addresses up to the null one, or the first `limit`.
        func addresses(at address: UInt64, limit: Int) throws(Failure) -> [UInt64] {
            var bytes: [UInt8] = []
            var addresses: [UInt64] = []
            while addresses.count < limit {
                bytes += try read(address &+ UInt64(addresses.count * 8 + bytes.count), Self.piece)
                var next = 0
                while next + 8 <= bytes.count, addresses.count < limit {
                    let value = bytes[next..<next + 8].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
                    if value == 0 { return addresses }
                    addresses.append(value)
                    next += 8
                }
                bytes.removeFirst(next)
            }
            return addresses
        }

        private func read(_ address: UInt64, _ wish: Int) throws(Failure) -> [UInt8] {
            let length = min(wish, Int(Self.page - address % Self.page))
            var result = 0
            let bytes = [UInt8](unsafeUninitializedCapacity: length) { room, count in
                result = memory(address, UnsafeMutableRawBufferPointer(room))
                count = max(0, min(length, result))
            }
            if bytes.isEmpty { throw result == -Int(EFAULT) || result == 0 ? .call(EFAULT) : .closed }
            return bytes
        }
    }
}
