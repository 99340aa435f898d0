public import AiboxSystem
public import AiboxWire

/// A question to a person as it is told elsewhere: on the desktop, and by webhook. It can only tell; answers are the CLI's.
public struct ApprovalMessage: Sendable, Equatable {
    public var sandbox: String
    public var question: ApprovalQuestion
    /// When the question lapses.
    public var expires: Timestamp

    /// Words of a command line, and bytes of each, that are told.
    static let wordLimit = 64
    static let byteLimit = 1024

    public init(sandbox: String, question: ApprovalQuestion, now: Timestamp) {
        self.sandbox = sandbox
        self.question = question
        expires = Timestamp(seconds: now.seconds + Int64(question.left))
    }

    /// One and the same for a question, however often it is told.
    public var delivery: String { "\(sandbox)/\(question.id)" }

    private func cut(_ text: String) -> String {
        text.utf8.count <= Self.byteLimit
            ? text : String(decoding: text.utf8.prefix(Self.byteLimit), as: UTF8.self) + "…"
    }

    /// The command line as it is told.
    var words: (argv: [String], hasHidden: Bool, isCut: Bool) {
        let (argv, hasHidden) = ArgumentMask.masked(question.argv)
        let told = argv.prefix(Self.wordLimit).map(cut)
        return (told, hasHidden, told != argv)
    }

    /// The body of the webhook.
    public var json: JSONValue {
        let (argv, hasHidden, isCut) = words
        return [
            "version": 1, "event": "approval.request", "delivery": .string(delivery), "id": .string(question.id),
            "sandbox": .string(sandbox), "program": .string(cut(question.program)),
            "argv": .array(argv.map { .string($0) }), "masked": .bool(hasHidden), "cut": .bool(isCut),
            "directory": .string(cut(question.directory)), "rule": .string(question.rule),
            "layer": .string(question.layer), "policy": .string(question.policy),
            "expires": .string(expires.rfc3339),
            "answer": [
                "approve": .string("aibox approvals approve \(question.id) --name \(sandbox)"),
                "deny": .string("aibox approvals deny \(question.id) --name \(sandbox)"),
            ],
        ]
    }

    /// For notify-send: no option, whatever it begins with, no markup and no escape of its own. The body may have markup
    /// (Desktop Notifications Specification 1.2, "Markup"), and notify-send turns `\033` and the like into characters.
    public var desktop: (summary: String, body: String) {
        let text = words.argv.map(ShellQuoting.quoted).joined(separator: " ")
        let lines = [
            SafeText.cut(text, to: 300), "in \(cut(question.directory)), rule \(question.rule)",
            "aibox approvals approve \(question.id)",
        ]
        return ("aibox: \(Self.plain(sandbox)) waits for your answer", lines.map(Self.plain).joined(separator: "\n"))
    }

    private static func plain(_ text: String) -> String {
        SafeText.escaped(text).replacing("\\", with: "\\\\").replacing("&", with: "&amp;").replacing("<", with: "&lt;")
            .replacing(">", with: "&gt;")
    }
}
