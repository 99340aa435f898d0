import AiboxSystem
import Testing

/// Files that a renderer has to reproduce byte by byte: `Tests/AiboxNetworkTests/Golden`.
///
/// `AIBOX_WRITE_GOLDEN=1` writes them anew (and fails, so that nobody runs the suite that way).
enum Golden {
    static let folder = Path.parent(#filePath) + "/Golden"

    static func check(_ name: String, _ text: String, sourceLocation: SourceLocation = #_sourceLocation) throws {
        let path = folder + "/" + name
        if Environment.value("AIBOX_WRITE_GOLDEN") != nil {
            try File.replace(path, with: text, mode: 0o644)
            Issue.record("\(name) was written", sourceLocation: sourceLocation)
            return
        }
        let expected = try File.text(path)
        if text == expected { return }
        let lines = zip(text.split(separator: "\n"), expected.split(separator: "\n"))
        let difference = lines.first { $0 != $1 }.map { "got:      \($0)\nexpected: \($1)" } ?? "one is longer"
        Issue.record("\(name) differs\n\(difference)", sourceLocation: sourceLocation)
    }
}
