import AiboxCrypto
import AiboxSystem
import AiboxTestSupport
import Testing

@testable import AiboxAudit

@Suite("What a folder of recordings may hold")
struct RecordingFolderTests {
    private static func entries(_ rows: [(size: Int, written: Int64)]) -> [RecordingFolder.Entry] {
        rows.enumerated().map {
            RecordingFolder.Entry(id: "\($0.offset)", size: $0.element.size, written: $0.element.written, mode: 0o600)
        }
    }

    @Test(
        "the oldest go, as many as it takes and no more",
        arguments: [
            ("nothing is bounded", nil, nil, ""), ("it fits to the byte", 400, nil, ""),
            ("one byte too many: a sixteenth is made free", 399, nil, "0"), ("two", 250, nil, "01"),
            ("nothing may stay", 0, nil, "0123"), ("by age", nil, 50, "02"), ("age first, then size", 150, 50, "021"),
            ("age alone is enough", 200, 50, "02"),
        ] as [(String, Int?, Int64?, String)])
    func excess(what: String, bytes: Int?, age: Int64?, gone: String) {
        let files = Self.entries([(100, 10), (100, 60), (100, 20), (100, 100)])
        let bound = RecordingBound(bytes: bytes, age: age)
        let found = bound.excess(files, now: 100) { _ in true }
        #expect(found.map(\.id).joined() == gone, "\(what)")
        #expect(bound.excess(files, now: 100) { _ in false }.isEmpty)
        // Who cannot go is passed over.
        let others = bound.excess(files, now: 100) { $0.id != "0" }
        #expect(!others.contains { $0.id == "0" })
    }

    @Test("one at a time removes; a folder that is not there, and other files in it, are left alone")
    func alone() throws {
        let place = try TemporaryFolder(prefix: "aibox-recordings")
        let folder = RecordingFolder(place.path + "/r")
        #expect(try folder.expiry(RecordingBound(bytes: 1), now: 0) == nil && folder.abandoned().isEmpty)
        let recipient = try RecordingKey().recipient
        let header = RecordingHeader(
            id: "A", session: "", sandbox: "", user: "", host: "", started: "", kind: "", recipient: recipient)
        _ = try RecordingWriter(folder: folder.path, header, for: recipient).finish()
        try File.replace(folder.path + "/notes.txt", with: "mine")
        try Folder.make(folder.path + "/B.aiboxrec")
        let expiry = try #require(try folder.expiry(RecordingBound(bytes: 1), now: 0))
        #expect(expiry.ids == ["A"] && expiry.isAll)
        // Somebody else's is not counted twice.
        #expect(try folder.expiry(RecordingBound(bytes: 1), now: 0) == nil)
        try folder.remove(expiry)
        #expect(try Folder.names(folder.path) == [".expiry", "B.aiboxrec", "notes.txt"])
        #expect(try folder.expiry(RecordingBound(bytes: 1), now: 0) == nil)
    }
}
