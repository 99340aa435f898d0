/// How much a folder of recordings may hold.
public struct RecordingBound: Sendable, Equatable {
    /// Bytes of all files together; nil: any number.
    public var bytes: Int?
    /// Seconds since a file was last written; nil: any number.
    public var age: Int64?

    public init(bytes: Int? = nil, age: Int64? = nil) {
        self.bytes = bytes
        self.age = age
    }

    public var isOpen: Bool { bytes == nil && age == nil }

    /// What has to go: what is too old, and then, where there is too much, the oldest until a sixteenth of the room is free, so
    /// that it is not for every new file anew.
    ///
    /// - Parameters:
    ///   - files: oldest first.
    ///   - isFree: whether a file may go: nobody writes it. Asked at most once of each.
    func excess(
        _ files: [RecordingFolder.Entry], now: Int64, isFree: (RecordingFolder.Entry) -> Bool
    ) -> [RecordingFolder.Entry] {
        let oldest = age.map { now - $0 } ?? .min
        var gone = files.filter { $0.written < oldest && isFree($0) }
        var left = files.reduce(0) { $0 + $1.size } - gone.reduce(0) { $0 + $1.size }
        guard let bytes, left > bytes else { return gone }
        for file in files where left > bytes - bytes / 16 && file.written >= oldest && isFree(file) {
            left -= file.size
            gone.append(file)
        }
        return gone
    }
}
