import AiboxCrypto
import AiboxState
public import AiboxSystem
import AiboxWire
import Glibc

/// Finds events by who, what and when: a SQLite index beside the log.
///
/// The index is a cache. It is brought up to date before each search and made anew whenever it does not fit the log;
/// what a search returns is read from the log itself, and a line that is not what the index says is an error.
public final class AuditIndex {
    private let folder: LogFolder
    private let database: SQLiteDatabase
    private let hasher: MerkleHasher

    private static let migrations = [
        """
        CREATE TABLE event (
            seq INTEGER PRIMARY KEY, id TEXT NOT NULL, time TEXT NOT NULL, type TEXT NOT NULL, severity TEXT NOT NULL,
            outcome TEXT NOT NULL, session TEXT NOT NULL, sandbox TEXT NOT NULL, user TEXT NOT NULL,
            segment INTEGER NOT NULL, offset INTEGER NOT NULL, length INTEGER NOT NULL);
        CREATE INDEX event_session ON event(session, seq);
        CREATE INDEX event_type ON event(type, seq);
        CREATE INDEX event_time ON event(time);
        CREATE INDEX event_id ON event(id);
        CREATE TABLE position (
            one INTEGER PRIMARY KEY CHECK (one = 1), origin TEXT NOT NULL, seq INTEGER NOT NULL, head TEXT NOT NULL,
            segment INTEGER NOT NULL, offset INTEGER NOT NULL);
        """,
        "CREATE INDEX event_sandbox ON event(sandbox, seq);",
    ]

    /// Opens the index of the log in a folder and brings it up to date.
    ///
    /// - Parameter file: where the index lies; nil: `index.db` in the log's folder.
    public init(folder: String, file: String? = nil) throws(AiboxError) {
        self.folder = LogFolder(path: folder)
        guard File.exists(self.folder.identity) else {
            throw AiboxError(.failed, "cannot search the audit log", why: "there is none in \(folder)")
        }
        hasher = try MerkleHasher()
        let file = file ?? folder + "/index.db"
        do throws(AiboxError) {
            database = try SQLiteDatabase(file, migrations: Self.migrations, durability: .rebuildable)
        } catch {
            // A damaged cache is no reason to fail.
            for suffix in ["", "-wal", "-shm"] { try File.remove(file + suffix) }
            database = try SQLiteDatabase(file, migrations: Self.migrations, durability: .rebuildable)
        }
        try update()
    }

    /// What to look for; every condition must hold.
    public struct Query: Sendable, Equatable {
        public var session: String?
        public var sandbox: String?
        public var user: String?
        /// A type, or the beginning of one up to a point: `network` finds `network.deny`.
        public var type: String?
        /// One of these types; empty: any.
        public var types: [AuditEventType] = []
        public var severity: AuditSeverity?
        public var outcome: AuditOutcome?
        /// Not before this moment.
        public var since: Timestamp?
        /// Before this moment.
        public var until: Timestamp?
        /// Occurs in the line as it stands in the log.
        public var text: String?
        /// At most so many, the newest.
        public var limit = 1000

        public init() {}
    }

    /// The events that match, oldest first.
    public func search(_ query: Query) throws(AiboxError) -> [AuditRecord] {
        let (conditions, values) = conditions(query)
        let limit = query.text == nil && query.limit < .max ? query.limit : -1
        let places = try database.query(
            """
            SELECT seq, segment, offset, length FROM event WHERE \(conditions) ORDER BY seq DESC LIMIT \(limit)
            """, values, Place.init)
        return try read(places, containing: query.text, limit: query.limit)
    }

    /// Hands over the events that match, oldest first, without keeping them all. `limit` and `text` are not heeded.
    public func forEach(
        _ query: Query, _ body: (AuditRecord) throws(AiboxError) -> Void
    ) throws(AiboxError) {
        let (conditions, values) = conditions(query)
        var last: UInt64 = 0
        while true {
            let places = try database.query(
                """
                SELECT seq, segment, offset, length FROM event WHERE \(conditions) AND seq > \(last) \
                ORDER BY seq LIMIT 5000
                """, values, Place.init)
            guard let newest = places.last else { return }
            last = newest.sequence
            for record in try read(places.reversed(), containing: nil, limit: .max) { try body(record) }
        }
    }

    /// The conditions of a query in SQL, and the values that they compare with.
    private func conditions(_ query: Query) -> (String, [SQLiteValue]) {
        var conditions: [String] = ["1"]
        var values: [SQLiteValue] = []
        func equal(_ column: String, _ value: String?) {
            guard let value else { return }
            conditions.append(column + " = ?")
            values.append(.text(value))
        }
        equal("session", query.session)
        equal("sandbox", query.sandbox)
        equal("user", query.user)
        equal("severity", query.severity?.rawValue)
        equal("outcome", query.outcome?.rawValue)
        if let type = query.type {
            // The range of all texts that begin with the group and a point.
            conditions.append("(type = ? OR (type >= ? AND type < ?))")
            values += [.text(type), .text(type + "."), .text(type + "/")]
        }
        if !query.types.isEmpty {
            // The newest of a session or a sandbox are found without sorting all of the types; + keeps SQLite from it.
            let isBound = query.session != nil || query.sandbox != nil
            conditions.append("\(isBound ? "+" : "")type IN (\(query.types.map { _ in "?" }.joined(separator: ", ")))")
            values += query.types.map { .text($0.rawValue) }
        }
        if let since = query.since {
            conditions.append("time >= ?")
            values.append(.text(since.rfc3339))
        }
        if let until = query.until {
            conditions.append("time < ?")
            values.append(.text(until.rfc3339))
        }
        return (conditions.joined(separator: " AND "), values)
    }

    /// The event with an id or a number.
    public func event(_ name: String) throws(AiboxError) -> AuditRecord? {
        let places =
            if let number = Int64(name) {
                try database.query(
                    "SELECT seq, segment, offset, length FROM event WHERE seq = ?", [.integer(number)], Place.init)
            } else {
                try database.query(
                    "SELECT seq, segment, offset, length FROM event WHERE id = ?", [.text(name)], Place.init)
            }
        return try read(places, containing: nil, limit: 1).first
    }

    /// How many events there are of each pair of values in two columns.
    func counts(_ one: StaticString, _ other: StaticString) throws(AiboxError) -> [(String, String, Int64)] {
        try database.query("SELECT \(one), \(other), count(*) FROM event GROUP BY 1, 2 ORDER BY 1, 2") {
            (row) throws(AiboxError) in (row.text(0), row.text(1), row.integer(2))
        }
    }

    /// How many events there are.
    public func count() throws(AiboxError) -> Int {
        try database.query("SELECT count(*) FROM event") { (row) throws(AiboxError) in Int(row.integer(0)) }.first ?? 0
    }

    // MARK: Reading the log

    private struct Place {
        var sequence: UInt64
        var segment: UInt64
        var offset: Int
        var length: Int

        init(_ row: borrowing SQLiteRow) {
            sequence = UInt64(row.integer(0))
            segment = UInt64(row.integer(1))
            offset = Int(row.integer(2))
            length = Int(row.integer(3))
        }
    }

    private func read(_ places: [Place], containing text: String?, limit: Int) throws(AiboxError) -> [AuditRecord] {
        var wanted: [UInt8] = []
        if let text {
            JSONText.append(text, to: &wanted)
            wanted = Array(wanted.dropFirst().dropLast())
        }
        var files: [UInt64: MappedFile] = [:]
        var records: [AuditRecord] = []
        for place in places {
            let path = folder.path(segment: place.segment)
            let file: MappedFile
            if let open = files[place.segment] { file = open } else { file = try MappedFile(path) }
            files[place.segment] = file
            let end = place.offset + place.length
            guard end <= file.bytes.count else { throw moved(place) }
            let line = UnsafeRawBufferPointer(rebasing: file.bytes[place.offset..<end])
            guard RecordLine(line)?.sequence == place.sequence else { throw moved(place) }
            if !wanted.isEmpty, !Self.occurs(wanted, in: line) { continue }
            records.append(try AuditRecord(Array(line), file: path, offset: UInt64(place.offset)))
            if records.count == limit { break }
        }
        return records.reversed()
    }

    private static func occurs(_ wanted: [UInt8], in line: UnsafeRawBufferPointer) -> Bool {
        guard let base = line.baseAddress, let first = wanted.first else { return false }
        var position = 0
        while position + wanted.count <= line.count,
            let found = memchr(base + position, Int32(first), line.count - wanted.count + 1 - position)
        {
            position = UnsafeRawPointer(found) - base
            if line[position..<position + wanted.count].elementsEqual(wanted) { return true }
            position += 1
        }
        return false
    }

    private func moved(_ place: Place) -> AiboxError {
        AiboxError(
            .integrity, "event \(place.sequence) is not where it was",
            why: "\(folder.path(segment: place.segment)) was changed",
            remedy: "aibox audit verify names the first bad record")
    }

    // MARK: Keeping up

    private struct Position {
        var origin: String
        var sequence: UInt64
        var head: String
        var segment: UInt64
        var offset: UInt64
    }

    private func update() throws(AiboxError) {
        let identity = try LogIdentity(try File.text(folder.identity, limit: 65_536), from: folder.identity)
        try database.transaction { () throws(AiboxError) in
            let positions = try database.query("SELECT origin, seq, head, segment, offset FROM position") {
                (row) throws(AiboxError) in
                Position(
                    origin: row.text(0), sequence: UInt64(row.integer(1)), head: row.text(2),
                    segment: UInt64(row.integer(3)), offset: UInt64(row.integer(4)))
            }
            var position: Position
            if let known = positions.first, known.origin == identity.origin, try fits(known) {
                position = known
            } else {
                try database.execute("DELETE FROM event")
                let first = try folder.segments().first ?? 1
                position = Position(
                    origin: identity.origin, sequence: first - 1, head: "", segment: first, offset: 0)
            }
            if try !append(&position), positions.first?.origin == position.origin { return }
            try database.execute(
                "INSERT OR REPLACE INTO position VALUES (1, ?, ?, ?, ?, ?)",
                [
                    .text(position.origin), .integer(Int64(position.sequence)), .text(position.head),
                    .integer(Int64(position.segment)), .integer(Int64(position.offset)),
                ])
        }
    }

    /// Whether the last event that the index knows still ends where it did, with the same bytes, and no row is missing.
    private func fits(_ position: Position) throws(AiboxError) -> Bool {
        let places = try database.query(
            "SELECT seq, segment, offset, length FROM event ORDER BY seq DESC LIMIT 1", [], Place.init)
        let first = try folder.segments().first ?? 1
        guard let last = places.first else { return position.sequence == first - 1 && position.offset == 0 }
        guard last.sequence == position.sequence, try count() == Int(position.sequence - first + 1),
            File.exists(folder.path(segment: last.segment))
        else { return false }
        let file = try MappedFile(folder.path(segment: last.segment))
        guard last.offset + last.length < file.bytes.count else { return false }
        let line = UnsafeRawBufferPointer(rebasing: file.bytes[last.offset..<last.offset + last.length])
        return try hasher.leaf(line).hex == position.head
    }

    /// Adds the lines after a position; false if there are none.
    private func append(_ position: inout Position) throws(AiboxError) -> Bool {
        let insert = try database.prepare("INSERT INTO event VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
        let before = position.sequence
        while File.exists(folder.path(segment: position.segment)) {
            let path = folder.path(segment: position.segment)
            let file = try MappedFile(path)
            while let line = file.line(from: Int(position.offset)) {
                guard let record = RecordLine(line), record.sequence == position.sequence + 1 else {
                    throw AiboxError(
                        .integrity, "cannot search the audit log",
                        why: "event \(position.sequence + 1) is damaged or missing in \(path)",
                        remedy: "aibox audit verify names the first bad record")
                }
                let fields = LineFields(line)
                try insert.run(
                    [
                        .integer(Int64(record.sequence)), .text(fields["id"]), .text(fields["time"]),
                        .text(fields["type"]),
                        .text(fields["severity"]), .text(fields["outcome"]), .text(fields["session"]),
                        .text(fields["sandbox"]), .text(fields["user"]), .integer(Int64(position.segment)),
                        .integer(Int64(position.offset)), .integer(Int64(line.count)),
                    ])
                position.sequence += 1
                position.offset += UInt64(line.count) + 1
                position.head = try hasher.leaf(line).hex
            }
            if position.segment == position.sequence + 1 { break }
            let next = position.sequence + 1
            if !File.exists(folder.path(segment: next)) { break }
            position.segment = next
            position.offset = 0
        }
        return position.sequence > before
    }
}
