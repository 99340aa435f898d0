public import AiboxSystem
import CSQLite
import Glibc

/// A SQLite file in WAL mode with a schema that knows its own version.
///
/// One connection belongs to one thread at a time (it is not Sendable); processes and threads that
/// share the file each open it, and wait for one another up to the busy time-out. Values are always
/// bound, never pasted into SQL (P10).
public final class SQLiteDatabase {
    public let path: String
    private let handle: OpaquePointer

    /// What happens to a committed transaction at a power cut.
    public enum Durability: Sendable {
        /// It is on the disk when `transaction` returns.
        case full
        /// It may be lost as a whole, never in part: for what can be rebuilt.
        case rebuildable
    }

    /// Opens the file, makes it (0600) if it is missing, and brings its schema up to date.
    ///
    /// - Parameters:
    ///   - migrations: SQL scripts; `PRAGMA user_version` counts those that were applied. Append new ones, never
    ///     change an old one. Each runs in a transaction together with its number.
    ///   - busyTimeout: how long to wait for another writer.
    /// - Throws: also when the file was written by a newer aibox (more migrations than these), or is no database.
    public init(
        _ path: String, migrations: [String], durability: Durability = .full, busyTimeout: Duration = .seconds(5)
    ) throws(AiboxError) {
        self.path = path
        // SQLite would make it with the umask's mode; the side files inherit the mode of this one. The file itself
        // must be no link; SQLITE_OPEN_NOFOLLOW would also refuse a home folder that is reached through one.
        Descriptor(try retrying("cannot open \(path)") { open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600) })
            .close()
        var opened: OpaquePointer?
        let flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX
        let result = sqlite3_open_v2(path, &opened, flags, nil)
        guard result == SQLITE_OK, let opened else {
            let why = String(cString: sqlite3_errstr(result))
            sqlite3_close_v2(opened)
            throw AiboxError(.failed, "cannot open \(path)", why: why)
        }
        handle = opened
        sqlite3_extended_result_codes(handle, 1)
        sqlite3_busy_timeout(handle, busyTimeout.milliseconds)
        try execute("PRAGMA journal_mode = WAL")
        try execute("PRAGMA synchronous = \(durability == .full ? "FULL" : "NORMAL")")
        try execute("PRAGMA foreign_keys = ON")
        try execute("PRAGMA trusted_schema = OFF")
        try migrate(migrations)
    }

    deinit { sqlite3_close_v2(handle) }

    /// Compiles a statement, to be run more than once.
    public func prepare(_ sql: String) throws(AiboxError) -> SQLiteStatement {
        var statement: OpaquePointer?
        guard sqlite3_prepare_v2(handle, sql, -1, &statement, nil) == SQLITE_OK, let statement else {
            throw failure("cannot compile a statement for \(path)")
        }
        return SQLiteStatement(statement, of: self)
    }

    /// Runs one statement that returns no rows (or whose rows do not matter); tells how many rows it changed.
    @discardableResult
    public func execute(_ sql: String, _ values: [SQLiteValue] = []) throws(AiboxError) -> Int {
        try prepare(sql).run(values)
    }

    /// Runs one query and turns each row into a value.
    public func query<Value>(
        _ sql: String, _ values: [SQLiteValue] = [], _ make: (borrowing SQLiteRow) throws(AiboxError) -> Value
    ) throws(AiboxError) -> [Value] {
        try prepare(sql).rows(values, make)
    }

    /// Runs the body in one transaction, which takes the write lock at once; an error undoes all of it.
    public func transaction<Result>(_ body: () throws(AiboxError) -> Result) throws(AiboxError) -> Result {
        try execute("BEGIN IMMEDIATE")
        do throws(AiboxError) {
            let result = try body()
            try execute("COMMIT")
            return result
        } catch {
            // Some errors (disk full) have already rolled back; then there is nothing to undo.
            if sqlite3_get_autocommit(handle) == 0 { try execute("ROLLBACK") }
            throw error
        }
    }

    /// The rowid of the last INSERT on this connection.
    public var lastInsertedRow: Int64 { sqlite3_last_insert_rowid(handle) }

    var changes: Int { Int(sqlite3_changes(handle)) }

    func failure(_ what: String) -> AiboxError {
        if isDiskFull {
            return AiboxError(
                .failed, what, why: "no space left on the disk that holds \(path)", remedy: "free some disk space")
        }
        let remedy: String? =
            switch sqlite3_errcode(handle) {
            case SQLITE_BUSY: "another aibox is writing to it; try again"
            case SQLITE_CORRUPT, SQLITE_NOTADB: "move it away, then run the command again"
            default: nil
            }
        return AiboxError(.failed, what, why: String(cString: sqlite3_errmsg(handle)), remedy: remedy)
    }

    /// SQLite calls a full disk an I/O error when it meets it in its shared-memory file.
    private var isDiskFull: Bool {
        let code = sqlite3_errcode(handle) & 0xff
        if code == SQLITE_FULL || sqlite3_system_errno(handle) == ENOSPC { return true }
        var disk = statvfs()
        return code == SQLITE_IOERR && statvfs(path, &disk) == 0 && disk.f_bavail == 0
    }

    private func migrate(_ migrations: [String]) throws(AiboxError) {
        if try version() == migrations.count { return }
        // Asked again under the write lock: another process may have migrated meanwhile.
        try transaction { () throws(AiboxError) in
            let applied = try version()
            guard applied <= migrations.count else {
                throw AiboxError(
                    .failed, "cannot use \(path)",
                    why: "its schema has version \(applied), and this aibox knows \(migrations.count)",
                    remedy: "use the newer aibox that wrote it")
            }
            for (position, script) in migrations.enumerated().dropFirst(applied) {
                guard sqlite3_exec(handle, script, nil, nil, nil) == SQLITE_OK else {
                    throw failure("cannot bring \(path) to schema version \(position + 1)")
                }
                try execute("PRAGMA user_version = \(position + 1)")
            }
        }
    }

    private func version() throws(AiboxError) -> Int {
        try query("PRAGMA user_version") { (row) throws(AiboxError) in Int(row.integer(0)) }.first ?? 0
    }
}
