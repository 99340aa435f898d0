import AiboxCrypto
public import AiboxSystem

/// How far a second place has got.
///
///     ORIGIN
///     size N                      events under the newest checkpoint that it has
///     at TIME                     when that was put there; empty before the first
///     failing TIME                since when it cannot be written; empty if it can
///     reason TEXT
public struct PlaceStanding: Sendable, Equatable {
    /// The address.
    public let place: String
    /// Events that the log has signed.
    public internal(set) var signed: UInt64 = 0
    /// How many of them the place's newest checkpoint is over.
    public internal(set) var delivered: UInt64 = 0
    /// When it was put there, UTC; empty: never.
    public internal(set) var time = ""
    /// Since when the place cannot be written, UTC; empty: it can.
    public internal(set) var failing = ""
    public internal(set) var reason = ""

    public var isBehind: Bool { delivered < signed }

    /// For people.
    public var words: String {
        if !failing.isEmpty { return "cannot be written since \(failing): \(reason); \(gap)" }
        return isBehind ? gap : "has all \(signed) signed events"
    }

    private var gap: String {
        time.isEmpty
            ? "has none of \(signed) signed events yet" : "has \(delivered) of \(signed) signed events, from \(time)"
    }

    init(place: String) { self.place = place }

    /// What is kept about a place; that nothing was delivered, where nothing or something else is kept.
    init(_ address: PlaceAddress, of log: PlacedLog) throws(AiboxError) {
        place = address.text
        signed = log.newest?.size ?? 0
        guard let text = try? File.text(try log.folder.place(address), limit: 65_536) else { return }
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        func value(_ index: Int, _ name: String) -> String? {
            lines[index].hasPrefix(name + " ") ? String(lines[index].dropFirst(name.count + 1)) : nil
        }
        guard lines.count == 6, lines[0] == log.identity.origin, let size = value(1, "size").flatMap({ UInt64($0) }),
            let time = value(2, "at"), let failing = value(3, "failing"), let reason = value(4, "reason")
        else { return }
        (delivered, self.time, self.failing, self.reason) = (size, time, failing, reason)
    }

    func store(_ address: PlaceAddress, of log: PlacedLog) throws(AiboxError) {
        try File.replace(
            try log.folder.place(address),
            with: """
                \(log.identity.origin)
                size \(delivered)
                at \(time)
                failing \(failing)
                reason \(SafeText.escaped(reason))

                """)
    }

    /// Where each place stands, as this machine knows it; nothing is asked.
    public static func all(folder: String, _ places: [PlaceAddress]) throws(AiboxError) -> [PlaceStanding] {
        let files = LogFolder(path: folder)
        if places.isEmpty || !File.exists(files.identity) { return [] }
        let log = try PlacedLog(files)
        var standings: [PlaceStanding] = []
        for place in places { standings.append(try PlaceStanding(place, of: log)) }
        return standings
    }
}
