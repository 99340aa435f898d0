import AiboxSystem

/// Finds in apt's source files (sources.list(5)) which keyring an entry is signed by, the one thing about a source
/// that `apt-get indextargets` does not tell.
enum AptSourceFile {
    /// - Parameters:
    ///   - entry: `FILE:NUMBER`: the stanza of a `.sources` file, the line of a `.list` file.
    ///   - read: the text of a file, nil if it cannot be read.
    /// - Returns: the path of a keyring; nil where the entry names none or holds the key itself, so that apt's general
    ///   keyrings decide.
    static func signedBy(_ entry: String, read: (String) -> String?) -> String? {
        guard let colon = entry.lastIndex(of: ":"), let number = Int(entry[entry.index(after: colon)...]) else {
            return nil
        }
        let file = String(entry[..<colon])
        guard let text = read(file) else { return nil }
        let value = file.hasSuffix(".sources") ? inStanza(number, text) : inLine(number, text)
        // The archive's own keyring may be named by several paths or by fingerprints; the first path is enough.
        let path = value?.split(whereSeparator: { $0 == "," || $0.isWhitespace }).first { $0.hasPrefix("/") }
        return path.map(String.init)
    }

    private static func inLine(_ number: Int, _ text: String) -> String? {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        guard lines.indices.contains(number - 1) else { return nil }
        let line = lines[number - 1].drop { $0 == " " || $0 == "\t" }
        guard let open = line.firstIndex(of: "["), let close = line.firstIndex(of: "]"), open < close else {
            return nil
        }
        for option in line[line.index(after: open)..<close].split(whereSeparator: \.isWhitespace)
        where option.lowercased().hasPrefix("signed-by=") {
            return option.dropFirst("signed-by=".count).filter { $0 != "\"" }
        }
        return nil
    }

    private static func inStanza(_ number: Int, _ text: String) -> String? {
        var stanza = 0
        var isInside = false
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            if line.hasPrefix("#") { continue }
            if line.allSatisfy(\.isWhitespace) {
                isInside = false
                continue
            }
            if !isInside {
                stanza += 1
                isInside = true
            }
            guard stanza == number, let colon = line.firstIndex(of: ":"),
                line[..<colon].lowercased() == "signed-by"
            else { continue }
            return String(line[line.index(after: colon)...].drop(while: \.isWhitespace))
        }
        return nil
    }

    /// A value of os-release(5), without its quotes.
    static func field(_ name: String, inOSRelease text: String) -> String? {
        for line in text.split(separator: "\n") where line.hasPrefix(name + "=") {
            let value = line.dropFirst(name.count + 1).filter { $0 != "\"" && $0 != "'" }
            return value.isEmpty ? nil : value
        }
        return nil
    }
}
