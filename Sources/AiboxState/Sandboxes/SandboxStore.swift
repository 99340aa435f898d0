public import AiboxSystem

/// The sandboxes that run, or that a command left half made, in `state.db`.
public struct SandboxStore {
    private let database: SQLiteDatabase

    /// - Parameter path: `Paths.stateDatabase`; its folder exists.
    public init(path: String) throws(AiboxError) {
        database = try SQLiteDatabase(path, migrations: StateSchema.migrations)
    }

    /// Adds the record, or replaces the one of that name.
    public func save(_ record: SandboxRecord) throws(AiboxError) {
        try database.execute(
            "INSERT OR REPLACE INTO sandbox (\(Self.columns)) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                .text(record.name), .text(record.container), .text(record.workspace), .text(record.runFolder),
                .text(record.engine), .text(record.image), .text(record.imageID), .text(record.phase.rawValue),
                .integer(Int64(record.sshPort)), .text(record.limits), .integer(record.started.seconds),
                .integer(Int64(record.started.nanoseconds)), .text(record.session),
            ])
    }

    public func remove(_ name: String) throws(AiboxError) {
        try database.execute("DELETE FROM sandbox WHERE name = ?", [.text(name)])
    }

    public func find(_ name: String) throws(AiboxError) -> SandboxRecord? {
        try database.query("SELECT \(Self.columns) FROM sandbox WHERE name = ?", [.text(name)], Self.record).first
    }

    /// All of them, the latest start first.
    public func all() throws(AiboxError) -> [SandboxRecord] {
        try database.query(
            "SELECT \(Self.columns) FROM sandbox ORDER BY started_seconds DESC, started_nanoseconds DESC", [],
            Self.record)
    }

    private static let columns =
        "name, container, workspace, run_folder, engine, image, image_id, phase, ssh_port, limits, "
        + "started_seconds, started_nanoseconds, session"

    private static func record(_ row: borrowing SQLiteRow) throws(AiboxError) -> SandboxRecord {
        SandboxRecord(
            name: row.text(0), container: row.text(1), workspace: row.text(2), runFolder: row.text(3),
            engine: row.text(4), image: row.text(5), imageID: row.text(6),
            phase: SandboxRecord.Phase(rawValue: row.text(7)) ?? .stopping, sshPort: Int(row.integer(8)),
            limits: row.text(9),
            started: Timestamp(seconds: row.integer(10), nanoseconds: Int32(truncatingIfNeeded: row.integer(11))),
            session: row.text(12))
    }
}
