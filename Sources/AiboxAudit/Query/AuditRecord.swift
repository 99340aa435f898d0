import AiboxSystem
public import AiboxWire

/// An event as it stands in the log.
public struct AuditRecord: Sendable, Equatable {
    public var sequence: UInt64
    public var id: String
    /// UTC, RFC 3339 with nanoseconds.
    public var time: String
    public var type: String
    public var severity: String
    public var outcome: String
    public var source: String
    public var user: String
    public var session: String
    public var sandbox: String
    public var subject: String
    /// The whole line as a document.
    public var json: JSONValue
    /// The line's bytes, without its newline.
    public var line: [UInt8]
    /// The file, as a path, and the line's place in it in bytes.
    public var file: String
    public var offset: UInt64

    /// - Throws: `integrity` if the line is no event.
    init(_ line: [UInt8], file: String, offset: UInt64) throws(AiboxError) {
        let damaged = AiboxError(
            .integrity, "cannot read an event in \(file)", why: "byte \(offset) does not begin one",
            remedy: "aibox audit verify names the first bad record")
        guard let json = try? JSONParser.parse(line), let number = json["seq"]?.wholeNumber,
            let sequence = UInt64(exactly: number)
        else { throw damaged }
        func text(_ name: String) -> String { json[name]?.stringValue ?? "" }
        self.sequence = sequence
        id = text("id")
        time = text("time")
        type = text("type")
        severity = text("severity")
        outcome = text("outcome")
        source = text("source")
        user = text("user")
        session = text("session")
        sandbox = text("sandbox")
        subject = text("subject")
        self.json = json
        self.line = line
        self.file = file
        self.offset = offset
    }
}
