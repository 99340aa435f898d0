import AiboxSystem
import AiboxWire

/// The report of a session as one HTML page: no script, no font, no picture from elsewhere, nothing to fetch.
///
/// All text in it may be an adversary's. It is escaped, and the page's own policy forbids everything but its style.
public struct SessionPage {
    private let summary: SessionSummary

    public init(_ summary: SessionSummary) { self.summary = summary }

    public var html: String {
        """
        <!doctype html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="referrer" content="no-referrer">
        <title>Session \(text(summary.session)) · aibox</title>
        <style>\(Self.style)</style>
        </head>
        <body>
        <header>
        <h1>Session report</h1>
        <p class="lead">\(text(summary.sandbox)), \(text(summary.user)), \(moment(summary.began)) to \(moment(summary.ended)) UTC</p>
        <p class="id">\(text(summary.session))</p>
        \(verdict)
        </header>
        <section aria-label="Figures"><dl class="figures">
        \(summary.figures.map { "<div><dt>\(text($0.name))</dt><dd>\($0.value)</dd></div>" }.joined(separator: "\n"))
        </dl></section>
        \(summary.chapters.map(chapter).joined(separator: "\n"))
        <section><h2>Timeline</h2>
        \(table(summary.records))
        </section>
        <footer>Each line is an event of the log \(text(summary.verification.origin)). <code>aibox audit prove ID</code> proves one.</footer>
        </body>
        </html>

        """
    }

    private var verdict: String {
        let log = summary.verification
        if let finding = log.finding {
            return
                "<p class=\"verdict bad\" role=\"alert\">The log is not as it was written: \(text(finding.explanation)).</p>"
        }
        return
            "<p class=\"verdict good\">The log is as it was written: \(log.events) events, \(log.covered) of them signed.</p>"
            + places
    }

    /// What the second places say.
    private var places: String {
        let log = summary.verification
        let lines =
            log.agreeingPlaces.map { "<li>\(text($0)) agrees</li>" }
            + log.silentPlaces.map { "<li class=\"failure\">\(text($0)) gave no answer: nothing was proved of it</li>" }
            + log.notices.map { "<li>\(text($0))</li>" }
        return lines.isEmpty ? "" : "<ul class=\"places\">\(lines.joined())</ul>"
    }

    private func chapter(_ chapter: (title: String, records: [AuditRecord])) -> String {
        let body = chapter.records.isEmpty ? "<p class=\"none\">Nothing.</p>" : table(chapter.records)
        return
            "<section><h2>\(text(chapter.title)) <span class=\"count\">\(chapter.records.count)</span></h2>\n\(body)\n</section>"
    }

    private func table(_ records: [AuditRecord]) -> String {
        let rows = records.map { record in
            """
            <tr class="\(text(record.severity))"><td class="number">\(record.sequence)</td><td class="time">\(moment(record.time))</td>\
            <td>\(text(record.type))</td><td><span class="outcome \(text(record.outcome))">\(text(record.outcome))</span></td>\
            <td class="subject">\(text(record.subject))</td><td><details><summary>details</summary><pre>\(details(record))</pre></details></td></tr>
            """
        }
        return """
            <div class="scroll"><table><thead><tr><th>no.</th><th>time</th><th>type</th><th>outcome</th><th>subject</th><th></th></tr></thead><tbody>
            \(rows.joined(separator: "\n"))
            </tbody></table></div>
            """
    }

    private func details(_ record: AuditRecord) -> String {
        var lines = ["id: \(record.id)", "source: \(record.source)", "severity: \(record.severity)"]
        if case .object(let object)? = record.json["details"] {
            lines += object.members.map { "\($0.name): \($0.value.stringValue ?? $0.value.text)" }
        }
        return lines.map { text($0) }.joined(separator: "\n")
    }

    /// To the second.
    private func moment(_ time: String) -> String { text(time.prefix(19).replacing("T", with: " ")) }

    private func text(_ text: some StringProtocol) -> String {
        var result = ""
        for scalar in SafeText.escaped(String(text)).unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case "'": result += "&#39;"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    private static let style = """
        :root{color-scheme:light dark;--line:#8883;--soft:#888;--good:#1a7f37;--bad:#cf222e;--warn:#9a6700}
        @media (prefers-color-scheme:dark){:root{--good:#3fb950;--bad:#ff7b72;--warn:#d29922}}
        body{font:15px/1.5 system-ui,sans-serif;margin:0 auto;max-width:76rem;padding:2rem 1.25rem}
        h1{font-size:1.7rem;margin:0}h2{font-size:1.15rem;margin:2.2rem 0 .6rem}
        .lead{margin:.3rem 0 0}.id{color:var(--soft);font:13px ui-monospace,monospace;margin:.1rem 0 1rem}
        .verdict{border-left:4px solid;padding:.5rem .9rem;margin:0 0 1.5rem}.good{border-color:var(--good)}.bad{border-color:var(--bad);font-weight:600}
        .places{margin:-1rem 0 1.5rem;padding-left:1.2rem;font-size:.9rem}
        .figures{display:grid;grid-template-columns:repeat(auto-fill,minmax(9.5rem,1fr));gap:.6rem;margin:0}
        .figures div{border:1px solid var(--line);border-radius:8px;padding:.55rem .8rem}
        dt{color:var(--soft);font-size:.8rem}dd{margin:0;font-size:1.3rem;font-variant-numeric:tabular-nums}
        .scroll{overflow-x:auto}table{border-collapse:collapse;width:100%;font-size:.88rem}
        th{text-align:left;color:var(--soft);font-weight:500}th,td{border-bottom:1px solid var(--line);padding:.3rem .7rem .3rem 0;vertical-align:top}
        .number,.time{font-variant-numeric:tabular-nums;white-space:nowrap}.subject{word-break:break-word;font-family:ui-monospace,monospace}
        .outcome{font-weight:500}.denied,.failure{color:var(--bad)}.allowed,.success{color:var(--good)}.pending{color:var(--warn)}
        tr.critical .number,tr.high .number{box-shadow:inset 3px 0 var(--bad);padding-left:.5rem}
        .count{color:var(--soft);font-weight:400}.none{color:var(--soft)}pre{margin:.3rem 0;white-space:pre-wrap;word-break:break-word}
        summary{cursor:pointer;color:var(--soft)}footer{margin-top:3rem;color:var(--soft);font-size:.85rem}
        @media print{details>summary{display:none}}
        """
}
