/// A text as lines, for edits that leave all other bytes alone.
struct EditedText {
    private(set) var bytes: [UInt8]
    /// LF or CRLF, as the first line ends.
    let newline: [UInt8]

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        let first = bytes.firstIndex(of: 0x0a)
        let isCRLF = first.map { $0 > 0 && bytes[$0 - 1] == 0x0d } ?? false
        newline = isCRLF ? [0x0d, 0x0a] : [0x0a]
    }

    mutating func replace(_ range: Range<Int>, with text: String) {
        bytes.replaceSubrange(range, with: Array(text.utf8))
    }

    /// Puts whole lines before the line that begins at `offset`, which may be the end of the text.
    mutating func insert(lines: [String], at offset: Int) {
        var inserted: [UInt8] = []
        // A last line without a line end gets one.
        if offset > 0, bytes[offset - 1] != 0x0a { inserted += newline }
        for line in lines { inserted += Array(line.utf8) + newline }
        bytes.replaceSubrange(offset..<offset, with: inserted)
    }

    /// The first byte of the line that contains `offset`.
    func lineStart(_ offset: Int) -> Int {
        (bytes[..<offset].lastIndex(of: 0x0a) ?? -1) + 1
    }

    /// The first byte of the line after the one that contains `offset`.
    func lineEnd(_ offset: Int) -> Int {
        bytes[offset...].firstIndex(of: 0x0a).map { $0 + 1 } ?? bytes.count
    }

    /// The bytes of every line, each with its line end.
    var lines: [Range<Int>] {
        var lines: [Range<Int>] = []
        var start = 0
        while start < bytes.count {
            let end = lineEnd(start)
            lines.append(start..<end)
            start = end
        }
        return lines
    }

    /// A line's text without its line end.
    func text(_ line: Range<Int>) -> String {
        var line = bytes[line]
        if line.last == 0x0a { line.removeLast() }
        if line.last == 0x0d { line.removeLast() }
        return String(decoding: line, as: UTF8.self)
    }
}
