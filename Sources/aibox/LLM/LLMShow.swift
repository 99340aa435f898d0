import AiboxAudit
import AiboxConfig
import AiboxSystem
import AiboxWire
import ArgumentParser

struct LLMShow: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show what a language model was asked and what it answered.",
        discussion: """
            Where the policy keeps it (llm.logging: full). The id stands in llm.request and llm.response as payload. It is for whoever \\
            holds the key of recordings.
            """)

    @OptionGroup(title: "Global options") var global: GlobalOptions

    @OptionGroup var recordings: RecordingOptions

    @Argument(help: "The id, or the beginning of one.")
    var id: String

    func run() throws {
        let store = RecordingStore(folder: recordings.folder ?? Paths.current.payloadsFolder)
        let entry = try store.find(id)
        let text = try PayloadText(try RecordingReader(entry.path, key: try recordings.requireKey()))
        func shown(_ bytes: [UInt8]) -> String {
            SafeText.escaped(String(decoding: bytes, as: UTF8.self), keepingLines: true)
        }
        let names = text.names.map { "\($0.name) \(SafeText.escaped($0.value))" }
        let lines = ["sandbox \(SafeText.escaped(entry.header.sandbox)), \(SafeText.escaped(entry.header.started))"]
        global.output.answer(
            .text(
                (lines + names + ["", shown(text.request), "", shown(text.answer)]).joined(separator: "\n"),
                .object(
                    [
                        .init("id", .text(entry.header.id)), .init("sandbox", .text(entry.header.sandbox)),
                        .init("started", .text(entry.header.started)),
                    ] + text.names.map { .init($0.name, .text($0.value)) } + [
                        .init("asked", .text(String(decoding: text.request, as: UTF8.self))),
                        .init("answered", .text(String(decoding: text.answer, as: UTF8.self))),
                        .init("complete", .boolean(text.isComplete && !text.isCut)),
                        .init("digest", .text(text.digest)),
                    ])))
        if text.isCut { global.output.note("the answer was longer than is kept") }
        if !text.isComplete { global.output.note("its end is missing: it was cut, or the proxy died") }
        try compare(entry.header.id, text.digest)
    }

    /// The key that it is encrypted for is public: only the audit log tells this file from another one.
    private func compare(_ id: String, _ digest: String) throws {
        let log = global.layers().paths.auditFolder
        guard recordings.folder == nil, File.exists(log) else {
            return global.output.note(
                "not compared with the audit log: payload_digest of llm.response has to be \(digest)")
        }
        var query = AuditIndex.Query()
        query.type = AuditEventType.llmResponse.rawValue
        query.text = id
        let events = try AuditIndex(folder: log).search(query).map { $0.json["details"] }
        guard let event = events.first(where: { $0?["payload"]?.stringValue == id }) else {
            return global.output.note("the audit log has no answer with this id")
        }
        if event?["payload_digest"]?.stringValue != digest {
            throw AiboxError(.integrity, "\(id) is not the file that the audit log speaks of")
        }
    }
}
