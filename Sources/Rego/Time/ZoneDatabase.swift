import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// The system's zone files, read once each.
enum ZoneDatabase {
    static let directory = "/usr/share/zoneinfo/"
    private static let maxCached = 1024
    private static let maxFileBytes = 1 << 20
    private static let cache = Mutex<[String: TimeZone]>([:])

    /// nil when the file is missing or no zone.
    static func zone(named name: String) throws(SupportError) -> TimeZone {
        if let zone = cache.withLock({ $0[name] }) { return zone }
        let path = name == "Local" ? "/etc/localtime" : directory + name
        guard let bytes = try load(path) else {
            if name == "Local" { return .utc }
            throw .invalid("unknown time zone \(name)")
        }
        guard let zone = ZoneFile.parse(bytes) else {
            throw .invalid("malformed time zone information")
        }
        cache.withLock { if $0.count < maxCached { $0[name] = zone } }
        return zone
    }

    private static func load(_ path: String) throws(SupportError) -> [UInt8]? {
        let file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: maxFileBytes)
        var count = 0
        while count < maxFileBytes {
            let got = bytes.withUnsafeMutableBytes {
                read(file, $0.baseAddress?.advanced(by: count), maxFileBytes - count)
            }
            if got < 0 {
                if errno == EISDIR { throw .invalid("is a directory") }
                return nil
            }
            if got == 0 { break }
            count += got
        }
        return Array(bytes[..<count])
    }
}

extension TimeZone {
    /// An empty name and "UTC" are UTC, "Local" is the system's zone, others come from the zone database.
    static func named(_ name: String) throws(SupportError) -> TimeZone {
        if name.isEmpty || name == "UTC" { return .utc }
        let hasParent = zip(name.utf8, name.utf8.dropFirst()).contains { $0 == UInt8(ascii: ".") && $1 == $0 }
        guard !hasParent, name.utf8.first != UInt8(ascii: "/"), name.utf8.first != UInt8(ascii: "\\"),
            !name.utf8.contains(0)
        else { throw .invalid("time: invalid location name") }
        return try ZoneDatabase.zone(named: name)
    }
}
