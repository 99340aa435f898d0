import AiboxWire

/// The texts at the front of a line, up to `subject`, read without parsing the rest: the index needs only these.
///
/// Relies on the order in which `EventBody` writes them. A text with an escape is decoded by the JSON parser.
struct LineFields {
    private var values: [String: String] = [:]
    private static let names: Set<String> = ["id", "time", "type", "severity", "outcome", "session", "sandbox", "user"]

    init(_ line: UnsafeRawBufferPointer) {
        var position = 1
        while position < line.count, line[position] == UInt8(ascii: "\"") {
            let nameEnd = Self.endOfText(line, position)
            let name = String(decoding: line[(position + 1)..<nameEnd], as: UTF8.self)
            if name == "subject" { return }
            var valueEnd = nameEnd + 2
            if valueEnd < line.count, line[valueEnd] == UInt8(ascii: "\"") {
                let start = valueEnd
                valueEnd = Self.endOfText(line, start) + 1
                if Self.names.contains(name) {
                    values[name] = Self.decoded(
                        UnsafeRawBufferPointer(rebasing: line[start..<min(valueEnd, line.count)]))
                }
            } else {
                while valueEnd < line.count, line[valueEnd] != UInt8(ascii: ",") { valueEnd += 1 }
            }
            position = valueEnd + 1
        }
    }

    subscript(name: String) -> String { values[name] ?? "" }

    /// The position of the quotation mark that closes the text which opens at `start`.
    private static func endOfText(_ line: UnsafeRawBufferPointer, _ start: Int) -> Int {
        var position = start + 1
        while position < line.count, line[position] != UInt8(ascii: "\"") {
            position += line[position] == UInt8(ascii: "\\") ? 2 : 1
        }
        return min(position, line.count - 1)
    }

    private static func decoded(_ quoted: UnsafeRawBufferPointer) -> String {
        if !quoted.contains(UInt8(ascii: "\\")) {
            return String(decoding: quoted.dropFirst().dropLast(), as: UTF8.self)
        }
        return (try? JSONParser.parse(quoted))?.stringValue ?? ""
    }
}
