import AiboxState
import AiboxSystem
import AiboxTestSupport
import Glibc
import Testing

@Suite("SQLite files")
struct SQLiteDatabaseTests {
    private static let first = "CREATE TABLE thing (id INTEGER PRIMARY KEY, name TEXT UNIQUE, body BLOB)"
    private static let second =
        "ALTER TABLE thing ADD COLUMN size INTEGER NOT NULL DEFAULT 7; CREATE INDEX s ON thing(size)"

    private let folder: TemporaryFolder
    private var file: String { folder.path + "/state.db" }

    init() throws { folder = try TemporaryFolder(prefix: "aibox-state") }

    @Test(
        "every value comes back as it went in",
        arguments: [
            .null, .integer(.min), .integer(.max), .real(0.5), .text(""), .text("it's \u{0} ünïcode \u{10FFFF}"),
            .blob([]),
            .blob([0, 255]), true, "literal",
        ] as [SQLiteValue])
    func values(value: SQLiteValue) throws {
        let database = try SQLiteDatabase(file, migrations: [])
        let back = try database.query("SELECT ?1, typeof(?1)", [value]) { (row) throws(AiboxError) -> SQLiteValue in
            switch row.text(1) {
            case "null": .null
            case "integer": .integer(row.integer(0))
            case "real": .real(row.real(0))
            case "text": .text(row.text(0))
            default: .blob(row.blob(0))
            }
        }
        #expect(back == [value])
    }

    @Test("the file and its side files are closed to others")
    func modes() throws {
        let database = try SQLiteDatabase(file, migrations: [Self.first])
        try database.execute("INSERT INTO thing(name) VALUES (?)", ["a"])
        for name in try Folder.names(folder.path) {
            var status = stat()
            #expect(lstat(folder.path + "/" + name, &status) == 0)
            #expect(status.st_mode & 0o077 == 0, "\(name)")
        }
    }

    @Test("an older schema is migrated once, with its rows")
    func migration() throws {
        do {
            let database = try SQLiteDatabase(file, migrations: [Self.first])
            try database.execute("INSERT INTO thing(name) VALUES (?)", ["kept"])
        }
        for _ in 1...2 {
            let database = try SQLiteDatabase(file, migrations: [Self.first, Self.second])
            let rows = try database.query("SELECT name, size FROM thing") { (row) throws(AiboxError) in
                row.text(0) + "=\(row.integer(1))"
            }
            #expect(rows == ["kept=7"])
        }
    }

    @Test("a migration that fails leaves the schema as it was")
    func failedMigration() throws {
        _ = try SQLiteDatabase(file, migrations: [Self.first])
        #expect(throws: AiboxError.self) {
            _ = try SQLiteDatabase(file, migrations: [Self.first, "ALTER TABLE thing ADD COLUMN a; nonsense"])
        }
        let columns = try SQLiteDatabase(file, migrations: [Self.first])
            .query("PRAGMA table_info(thing)") { (row) throws(AiboxError) in row.text(1) }
        #expect(columns == ["id", "name", "body"])
    }

    @Test("a file of a newer aibox is refused and left alone")
    func newer() throws {
        _ = try SQLiteDatabase(file, migrations: [Self.first, Self.second])
        #expect(throws: AiboxError.self) { _ = try SQLiteDatabase(file, migrations: [Self.first]) }
    }

    @Test("what is no database is refused and left alone")
    func garbage() throws {
        let text = String(repeating: "no database\n", count: 200)
        try folder.write("state.db", text)
        #expect(throws: AiboxError.self) { _ = try SQLiteDatabase(file, migrations: [Self.first]) }
        #expect(try File.text(file) == text)
    }

    @Test("a link in place of the file is refused")
    func link() throws {
        symlink(folder.path + "/elsewhere", file)
        #expect(throws: AiboxError.self) { _ = try SQLiteDatabase(file, migrations: []) }
    }

    @Test("a folder reached through a link is fine: some systems link /home")
    func linkedFolder() throws {
        try Folder.make(folder.path + "/real")
        symlink(folder.path + "/real", folder.path + "/home")
        _ = try SQLiteDatabase(folder.path + "/home/state.db", migrations: [Self.first])
        #expect(File.exists(folder.path + "/real/state.db"))
    }

    @Test("an error in a transaction undoes all of it")
    func rollback() throws {
        let database = try SQLiteDatabase(file, migrations: [Self.first])
        #expect(throws: AiboxError.self) {
            try database.transaction { () throws(AiboxError) in
                try database.execute("INSERT INTO thing(name) VALUES (?)", ["a"])
                try database.execute("INSERT INTO thing(name) VALUES (?)", ["a"])
            }
        }
        #expect(try database.query("SELECT count(*) FROM thing") { (row) throws(AiboxError) in row.integer(0) } == [0])
        try database.transaction { () throws(AiboxError) in
            _ = try database.execute("INSERT INTO thing(name) VALUES (?)", ["b"])
        }
        #expect(database.lastInsertedRow == 1)
    }

    @Test("the wrong number of values is an error, not a NULL")
    func arity() throws {
        let database = try SQLiteDatabase(file, migrations: [Self.first])
        #expect(throws: AiboxError.self) { try database.execute("INSERT INTO thing(name) VALUES (?)") }
    }

    @Test("writers at once wait for one another and lose nothing")
    func concurrent() async throws {
        _ = try SQLiteDatabase(file, migrations: [Self.first])
        let path = file
        try await withThrowingTaskGroup(of: Void.self) { group in
            for writer in 0..<4 {
                group.addTask {
                    let database = try SQLiteDatabase(path, migrations: [Self.first], busyTimeout: .seconds(30))
                    for number in 0..<25 {
                        try database.execute("INSERT INTO thing(name) VALUES (?)", [.text("\(writer).\(number)")])
                    }
                }
            }
            try await group.waitForAll()
        }
        let database = try SQLiteDatabase(file, migrations: [Self.first])
        #expect(
            try database.query("SELECT count(*) FROM thing") { (row) throws(AiboxError) in row.integer(0) } == [100])
    }

    @Test("a statement runs again with other values")
    func again() throws {
        let database = try SQLiteDatabase(file, migrations: [Self.first])
        let insert = try database.prepare("INSERT INTO thing(name, body) VALUES (?, ?)")
        for number in 0..<3 { try insert.run([.text("n\(number)"), .blob([UInt8(number)])]) }
        #expect(try database.execute("UPDATE thing SET body = NULL WHERE name <> ?", ["n1"]) == 2)
        let names = try database.query("SELECT name, body FROM thing WHERE body IS NOT NULL") {
            (row) throws(AiboxError) in
            (row.optionalText(0), row.blob(1))
        }
        #expect(names.count == 1)
        #expect(names.first?.0 == "n1")
        #expect(names.first?.1 == [1])
    }
}
