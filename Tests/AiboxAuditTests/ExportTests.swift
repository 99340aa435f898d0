import AiboxSystem
import AiboxTestSupport
import AiboxWire
import Testing

@testable import AiboxAudit

@Suite("Exports and reports")
struct ExportTests {
    private let fixture: LogFixture

    init() throws { fixture = try LogFixture() }

    private static let nasty = "a|b=c\\d\"e,f\ng<script>alert(1)</script>\u{1b}[31m=HYPERLINK(1)&'"

    /// One event of every type, each with an adversary's subject.
    private func writeAll() throws -> [AuditRecord] {
        let log = try fixture.open()
        for type in AuditEventType.allCases {
            var details = JSONObject()
            for field in type.definition.fields {
                details[field.name] =
                    switch field.kind {
                    case .text: .string(Self.nasty)
                    case .integer: 7
                    case .boolean: true
                    case .texts: .array([.string(Self.nasty)])
                    case .object: .object(["k": .string(Self.nasty)])
                    }
            }
            try log.append(
                AuditEvent(
                    type, subject: Self.nasty, outcome: .denied, details: details,
                    context: AuditContext(source: .gateway, session: "s1", sandbox: "box", user: "dev", host: "h")))
        }
        try log.close()
        var query = AuditIndex.Query()
        query.session = "s1"
        return try AuditIndex(folder: fixture.log).search(query).filter { $0.sandbox == "box" && $0.user == "dev" }
    }

    @Test("JSON Lines are the log's own bytes, and every event comes once")
    func jsonLines() throws {
        _ = try writeAll()
        var bytes: [UInt8] = []
        try AuditIndex(folder: fixture.log).forEach(AuditIndex.Query()) { (record) throws(AiboxError) in
            bytes += AuditExportFormat.jsonl.render(record)
        }
        #expect(bytes == (try fixture.bytes()))
    }

    @Test("CEF: a header of eight parts, escaped values, number and MAC for every type")
    func cef() throws {
        for record in try writeAll() {
            let line = String(decoding: AuditExportFormat.cef.render(record), as: UTF8.self)
            #expect(line.filter { $0 == "\n" }.count == 1)
            let parts = line.replacing("\\\\", with: "").replacing("\\|", with: "").split(
                separator: "|", maxSplits: 7, omittingEmptySubsequences: false)
            #expect(parts.count == 8 && parts[0] == "CEF:0" && parts[4] == record.type)
            #expect((0...10).contains(Int(parts[6]) ?? -1))
            #expect(line.contains(" cn1=\(record.sequence) "))
            #expect(line.contains(" cs3=" + (record.json["mac"]?.stringValue ?? "?") + " "))
            #expect(line.contains("msg=a|b\\=c\\\\d"))
            #expect(!line.unicodeScalars.contains { $0.value < 0x20 && $0 != "\n" })
        }
    }

    @Test("OCSF: every type has a class, the ids fit together, and the line is whole")
    func ocsf() throws {
        for record in try writeAll() {
            let json = try JSONParser.parse(AuditExportFormat.ocsf.render(record).dropLast())
            let classID = try #require(json["class_uid"]?.wholeNumber)
            #expect(classID > 0)
            #expect(json["type_uid"]?.wholeNumber == classID * 100 + (json["activity_id"]?.wholeNumber ?? -1))
            #expect(json["category_uid"]?.wholeNumber == classID / 1000)
            #expect((1...5).contains(json["severity_id"]?.wholeNumber ?? 0))
            #expect(json["metadata"]?["sequence"]?.wholeNumber == Int64(record.sequence))
            #expect(json["raw_data"]?.stringValue == String(decoding: record.line, as: UTF8.self))
            #expect((json["time"]?.wholeNumber ?? 0) > 1_700_000_000_000)
        }
    }

    @Test("CSV: a CSV reader gets back what the log says, and no cell begins a formula")
    func csv() throws {
        let records = try writeAll()
        let file = fixture.folder.path + "/out.csv"
        var bytes = Array(AuditExportFormat.csv.preamble.utf8)
        for record in records { bytes += AuditExportFormat.csv.render(record) }
        try File.replace(file, with: bytes)
        let script = """
            import csv, json, sys
            rows = list(csv.DictReader(open(sys.argv[1], newline="", encoding="utf-8")))
            for row in rows:
                assert not any(v[:1] in "=+-@" and v for v in row.values()), row
                json.loads(row["details"])
            print(json.dumps([[row["seq"], row["subject"], row["mac"]] for row in rows]))
            """
        let result = try SystemCommandRunner().run(Command("python3", ["-c", script, file]))
        #expect(result.succeeded, "\(result.errorText)")
        let rows = try JSONParser.parse(result.output).elements ?? []
        #expect(rows.count == records.count)
        for (row, record) in zip(rows, records) {
            #expect(row.elements?[0].stringValue == "\(record.sequence)")
            #expect(row.elements?[1].stringValue == record.subject)
        }
        #expect(CSVForm.cell("=1+1") == "'=1+1" && CSVForm.cell("a") == "a" && CSVForm.cell("-x,y") == "\"'-x,y\"")
    }

    @Test("a report's page opens in a browser as written: nothing in it runs, loads or is lost")
    func page() throws {
        let records = try writeAll()
        var verification = try fixture.verify()
        verification.agreeingPlaces = ["git+ssh://git@far.example/<b>audit</b>.git", "s3://far-bucket/log"]
        verification.silentPlaces = ["witness+away.example?key=<script>1</script>"]
        let summary = try SessionSummary(folder: fixture.log, session: "s1", verification: verification)
        let page = SessionPage(summary).html
        #expect(!page.contains("<script"))
        for outside in ["http://", "https://", "src=", "url(", "@import", "<link", "<iframe", "<img"] {
            #expect(!page.contains(outside), "\(outside)")
        }
        // What a browser makes of it: the adversary's text is text, and a script would have changed the title.
        let file = fixture.folder.path + "/report.html"
        try File.replace(file, with: page.replacing("<title>", with: "<title>untouched "), mode: 0o644)
        let result = try SystemCommandRunner().run(
            Command(
                "chromium",
                [
                    "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
                    "--user-data-dir=" + fixture.folder.path + "/profile", "--virtual-time-budget=2000", "--dump-dom",
                    "file://" + file,
                ], environment: ["HOME": fixture.folder.path]),
            timeout: .seconds(60))
        try #require(result.succeeded, "\(result.errorText)")
        let dom = result.text
        #expect(dom.contains("<title>untouched Session s1"))
        #expect(!dom.contains("<script"))
        #expect(dom.contains("&lt;script&gt;alert(1)&lt;/script&gt;"))
        #expect(dom.contains("<li>git+ssh://git@far.example/&lt;b&gt;audit&lt;/b&gt;.git agrees</li>"))
        #expect(dom.contains("<li>s3://far-bucket/log agrees</li>"))
        #expect(dom.contains("witness+away.example?key=&lt;script&gt;1&lt;/script&gt; gave no answer"))
        // The header row of each table, and each event at least in the timeline.
        let rows = dom.split(separator: "<tr").count - 1
        #expect(rows >= summary.records.count)
        #expect(dom.contains("<dt>events</dt><dd>\(summary.records.count)</dd>"))
        for record in records { #expect(dom.contains(record.id)) }
    }

    @Test("figures and chapters of a report are those of the events; a damaged log is said first")
    func figures() throws {
        let log = try fixture.open()
        let context = AuditContext(source: .gateway, session: "s2", sandbox: "box", user: "dev", host: "h")
        func add(_ type: AuditEventType, _ outcome: AuditOutcome, _ details: JSONObject = [:]) throws {
            try log.append(AuditEvent(type, subject: "x", outcome: outcome, details: details, context: context))
        }
        for _ in 0..<3 { try add(.networkDeny, .denied) }
        for _ in 0..<2 { try add(.networkAllow, .allowed) }
        try add(.llmResponse, .success, ["input_tokens": 100, "output_tokens": 10, "cost_microdollars": 1234])
        try add(.llmResponse, .success, ["input_tokens": 50, "output_tokens": 5])
        try add(.pushAllow, .allowed, ["push": "p", "refs": ["r"]])
        try log.close()
        let summary = try SessionSummary(folder: fixture.log, session: "s2", verification: try fixture.verify())
        let figures = Dictionary(uniqueKeysWithValues: summary.figures.map { ($0.name, $0.value) })
        #expect(figures["denied connections"] == 3 && figures["allowed connections"] == 2 && figures["events"] == 8)
        #expect(figures["input tokens"] == 150 && figures["output tokens"] == 15)
        #expect(figures["cost in microdollars"] == 1234 && figures["pushes"] == 1)
        #expect(summary.chapters.first { $0.title == "What was refused" }?.records.count == 3)
        #expect(summary.json["events"]?.elements?.count == 8)
        #expect(throws: AiboxError.self) {
            _ = try SessionSummary(folder: fixture.log, session: "s9", verification: AuditVerification())
        }
        var lines = try fixture.lines()
        lines[1] = Array(String(decoding: lines[1], as: UTF8.self).replacing("denied", with: "unseen").utf8)
        try fixture.set(lines)
        let damaged = try SessionSummary(folder: fixture.log, session: "s2", verification: try fixture.verify())
        #expect(SessionPage(damaged).html.contains("role=\"alert\""))
    }
}
