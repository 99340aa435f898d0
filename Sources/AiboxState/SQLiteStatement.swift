public import AiboxSystem
import CSQLite

/// A compiled statement: bind and run it as often as needed.
public final class SQLiteStatement {
    private let statement: OpaquePointer
    private let database: SQLiteDatabase

    init(_ statement: OpaquePointer, of database: SQLiteDatabase) {
        self.statement = statement
        self.database = database
    }

    deinit { sqlite3_finalize(statement) }

    /// Runs a statement that returns no rows, and tells how many rows it changed.
    @discardableResult
    public func run(_ values: [SQLiteValue] = []) throws(AiboxError) -> Int {
        defer { sqlite3_reset(statement) }
        try bind(values)
        while try step() {}
        return database.changes
    }

    /// Runs a query and turns each row into a value.
    public func rows<Value>(
        _ values: [SQLiteValue] = [], _ make: (borrowing SQLiteRow) throws(AiboxError) -> Value
    ) throws(AiboxError) -> [Value] {
        var result: [Value] = []
        try forEach(values) { (row) throws(AiboxError) in result.append(try make(row)) }
        return result
    }

    /// Runs a query and hands over each row as it is found; nothing is collected.
    public func forEach(
        _ values: [SQLiteValue] = [], _ body: (borrowing SQLiteRow) throws(AiboxError) -> Void
    ) throws(AiboxError) {
        defer { sqlite3_reset(statement) }
        try bind(values)
        while try step() { try body(SQLiteRow(statement)) }
    }

    private func step() throws(AiboxError) -> Bool {
        switch sqlite3_step(statement) {
        case SQLITE_ROW: return true
        case SQLITE_DONE: return false
        default: throw database.failure("cannot run a statement on \(database.path)")
        }
    }

    private func bind(_ values: [SQLiteValue]) throws(AiboxError) {
        guard values.count == Int(sqlite3_bind_parameter_count(statement)) else {
            throw AiboxError(
                .failed, "cannot run a statement on \(database.path)",
                why: "it has \(sqlite3_bind_parameter_count(statement)) parameters and got \(values.count) values")
        }
        for (position, value) in values.enumerated() {
            let index = Int32(position + 1)
            let result =
                switch value {
                case .null: sqlite3_bind_null(statement, index)
                case .integer(let number): sqlite3_bind_int64(statement, index, number)
                case .real(let number): sqlite3_bind_double(statement, index, number)
                case .text(let text):
                    // The length counts, not the terminator: a text may hold zeros.
                    text.withCString { sqlite3_bind_text(statement, index, $0, Int32(text.utf8.count), Self.copied) }
                case .blob(let bytes):
                    bytes.withUnsafeBytes {
                        // A null pointer would bind NULL, so an empty blob is a zero blob.
                        $0.isEmpty
                            ? sqlite3_bind_zeroblob(statement, index, 0)
                            : sqlite3_bind_blob(statement, index, $0.baseAddress, Int32($0.count), Self.copied)
                    }
                }
            if result != SQLITE_OK { throw database.failure("cannot bind a value for \(database.path)") }
        }
    }

    /// SQLITE_TRANSIENT, a cast macro that does not reach Swift: SQLite takes a copy.
    private static var copied: sqlite3_destructor_type { unsafeBitCast(-1, to: sqlite3_destructor_type.self) }
}

/// One row of a result, valid while the closure that got it runs. Columns count from 0.
public struct SQLiteRow: ~Copyable {
    private let statement: OpaquePointer

    init(_ statement: OpaquePointer) { self.statement = statement }

    public func isNull(_ column: Int) -> Bool { sqlite3_column_type(statement, Int32(column)) == SQLITE_NULL }

    /// The number in a column; 0 for NULL.
    public func integer(_ column: Int) -> Int64 { sqlite3_column_int64(statement, Int32(column)) }

    public func real(_ column: Int) -> Double { sqlite3_column_double(statement, Int32(column)) }

    /// The text in a column; empty for NULL.
    public func text(_ column: Int) -> String {
        guard let bytes = sqlite3_column_text(statement, Int32(column)) else { return "" }
        let count = Int(sqlite3_column_bytes(statement, Int32(column)))
        return String(decoding: UnsafeBufferPointer(start: bytes, count: count), as: UTF8.self)
    }

    public func optionalText(_ column: Int) -> String? { isNull(column) ? nil : text(column) }
    public func optionalInteger(_ column: Int) -> Int64? { isNull(column) ? nil : integer(column) }

    public func blob(_ column: Int) -> [UInt8] {
        guard let bytes = sqlite3_column_blob(statement, Int32(column)) else { return [] }
        return Array(UnsafeRawBufferPointer(start: bytes, count: Int(sqlite3_column_bytes(statement, Int32(column)))))
    }
}
