import AiboxNetwork
import AiboxSystem
import AiboxWire

/// An answer in the form that a gate reads: lines, the last of which decides.
enum ToolReply {
    /// Bytes of a line that a gate reads, its newline included.
    static let lineLimit = 4096

    static func head(_ status: Int, type: String = "text/plain; charset=utf-8") -> String {
        "HTTP/1.1 \(status) \(HTTPStatus.phrase(status))\r\nContent-Type: \(type)\r\nConnection: close\r\n\r\n"
    }

    /// A line for who called.
    static func say(_ text: String) -> String { "say \(cut(SafeText.escaped(text)))\n" }

    /// The lines that end an answer.
    static func end(_ answer: ToolAnswer, to question: ToolQuestion) -> String {
        if let path = answer.run { return "run \(path)\n" }
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
