public import AiboxSystem
import Glibc

/// Reads the events at the end of a log, and those that come.
public struct AuditTail {
    private let folder: LogFolder
    private var segment: UInt64
    private var offset: UInt64

    /// - Parameter count: how many of the newest events the first `next` returns.
    public init(folder: String, count: Int) throws(AiboxError) {
        self.folder = LogFolder(path: folder)
        guard File.exists(self.folder.identity), let newest = try self.folder.segments().last else {
            throw AiboxError(.failed, "cannot read the audit log", why: "there is none in \(folder)")
        }
        (segment, offset) = (newest, 0)
        var missing = count
        for first in try self.folder.segments().reversed() {
            let file = try MappedFile(self.folder.path(segment: first))
            segment = first
            offset = UInt64(Self.start(of: &missing, in: file.bytes))
            if missing == 0 { break }
        }
    }

    /// The place where the last `missing` lines begin; takes off those that are there.
    private static func start(of missing: inout Int, in bytes: UnsafeRawBufferPointer) -> Int {
        // Behind the last newline: what follows is a line in the making.
        guard var end = bytes.lastIndex(of: 0x0a).map({ $0 + 1 }) else { return 0 }
        while missing > 0, end > 0 {
            end = bytes[..<(end - 1)].lastIndex(of: 0x0a).map { $0 + 1 } ?? 0
            missing -= 1
        }
        return end
    }

    /// The events since the last call.
    public mutating func next() throws(AiboxError) -> [AuditRecord] {
        var records: [AuditRecord] = []
        while true {
            let path = folder.path(segment: segment)
            let file = try MappedFile(path)
            while let line = file.line(from: Int(offset)) {
                records.append(try AuditRecord(Array(line), file: path, offset: offset))
                offset += UInt64(line.count) + 1
            }
            guard let next = try folder.segments().first(where: { $0 > segment }) else { return records }
            (segment, offset) = (next, 0)
        }
    }
}
