import AiboxNetwork
import AiboxSystem
import AiboxWire

/// An answer in the form that a gate reads: lines, the last of which decides.
enum ToolReply {
    /// Bytes of a line that a gate reads, its newline included.
    static let lineLimit = 4096

    /// - Parameter length: bytes of the body; nil where it ends with the connection.
    static func head(_ status: Int, length: Int? = nil) -> String {
        "HTTP/1.1 \(status) \(HTTPStatus.phrase(status))\r\nContent-Type: text/plain; charset=utf-8\r\n"
            + (length.map { "Content-Length: \($0)\r\n" } ?? "") + "Connection: close\r\n\r\n"
    }

    /// A line for who called.
    static func say(_ text: String) -> String { "say \(cut(SafeText.escaped(text)))\n" }

    /// The lines for who waits for a person: what for, who can answer, how long.
    static func waiting(_ answer: ToolAnswer, for id: String, seconds: Int, to question: ToolQuestion) -> String {
        let name = question.program.split(separator: "/").last ?? "the program"
        let time = seconds % 60 == 0 ? "\(seconds / 60) min" : "\(seconds) s"
        return say(
            "\(name) waits for a review (rule \(answer.rule), \(answer.layer) policy): whoever started the sandbox answers "
                + "on the host, within \(time), by aibox approvals approve \(id), or deny \(id)")
            // The end comes with the last second; it is to arrive.
            + "wait \(min(seconds + 30, 86_400))\n"
    }

    /// The lines that end an answer.
    static func end(_ answer: ToolAnswer, to question: ToolQuestion, isAgent: Bool = false) -> String {
        if let path = answer.run { return isAgent ? "pass\n" : "run \(path)\n" }
        let name = question.program.split(separator: "/").last ?? "the program"
        let words = ["\(name) is refused: \(answer.reason)", "rule \(answer.rule), \(answer.layer) policy"]
        return (words + answer.nextSteps).map(say).joined() + "refuse\n"
    }

    private static func cut(_ text: String) -> String {
        let room = lineLimit - 64
        if text.utf8.count <= room { return text }
        var kept = ""
        for character in text {
            if kept.utf8.count + String(character).utf8.count > room { break }
            kept.append(character)
        }
        return kept + " ..."
    }
}
