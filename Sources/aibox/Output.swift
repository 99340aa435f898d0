import AiboxSystem
import Glibc

/// The form of an answer (`-o`).
enum OutputFormat: String, Sendable, CaseIterable {
    /// For a person on a terminal; tab-separated when piped.
    case text
    /// One JSON document.
    case json
    /// One JSON document a line: each row of a listing, each event of a stream.
    case jsonl
    /// JUnit's XML; only `policy test` answers in it.
    case junit
}

/// When to colour (`--color`).
enum ColourChoice: String, Sendable, CaseIterable { case auto, always, never }

/// What a command answers with.
enum Answer: Sendable, Equatable {
    /// Many things of one kind.
    case listing(Listing)
    /// One thing: name and value a line.
    case record([OutputValue.Field])
    /// A text for people, and the document that says the same to programs.
    case text(String, OutputValue)
}

/// Rows under named columns. In JSON each row is an object with the columns' names as keys.
struct Listing: Sendable, Equatable {
    var columns: [String]
    var rows: [[OutputValue]]
}

/// The place where a reader sits.
struct Audience: Sendable, Equatable {
    var isTerminal: Bool
    var colours: Bool
    /// Columns of the terminal.
    var width: Int

    static let pipe = Audience(isTerminal: false, colours: false, width: .max)
}

/// Where a command's answer and notes go: the answer to standard output in the form asked for, notes to standard
/// error.
struct Output: Sendable {
    var format: OutputFormat
    var colour = ColourChoice.auto
    var quiet = false
    var verbose = false

    /// Prints the answer of a command.
    ///
    /// Ends the process with status 1 if standard output takes no more: a half-written answer is no success.
    func answer(_ answer: Answer) {
        if format == .junit {
            Output.writeError("aibox: only policy test answers as junit; use -o json\n")
            exit(AiboxError.Code.usage.exitStatus)
        }
        Output.write(Output.render(answer, as: format, for: audience(STDOUT_FILENO)))
    }

    /// Tells a person something beside the answer; silent with `-q`.
    func note(_ text: String) {
        if !quiet { Output.writeError(SafeText.escaped(text, keepingLines: true) + "\n") }
    }

    /// As `note`, with `-v` only.
    func detail(_ text: String) {
        if verbose { note(text) }
    }

    /// Who reads `descriptor`. Colour: `NO_COLOR` (no-color.org) and `TERM=dumb` are honoured unless `--color` decides.
    func audience(_ descriptor: Int32) -> Audience {
        let isTerminal = isatty(descriptor) == 1
        let colours =
            switch colour {
            case .always: true
            case .never: false
            case .auto:
                isTerminal && (Environment.value("NO_COLOR") ?? "").isEmpty && Environment.value("TERM") != "dumb"
            }
        var size = winsize()
        let known = isTerminal && ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0
        return Audience(isTerminal: isTerminal, colours: colours, width: known ? Int(size.ws_col) : .max)
    }
}

// MARK: - Rendering

extension Output {
    /// The bytes of an answer, with the final newline; nothing for an empty stream.
    static func render(_ answer: Answer, as format: OutputFormat, for audience: Audience) -> String {
        switch format {
        case .text: text(answer, audience)
        case .json, .junit: document(answer).json(indented: true) + "\n"
        case .jsonl: lines(answer).map { $0.json(indented: false) + "\n" }.joined()
        }
    }

    private static func document(_ answer: Answer) -> OutputValue {
        switch answer {
        case .listing(let listing): .list(objects(listing))
        case .record(let fields): .object(fields)
        case .text(_, let document): document
        }
    }

    private static func lines(_ answer: Answer) -> [OutputValue] {
        if case .list(let elements) = document(answer) { return elements }
        return [document(answer)]
    }

    private static func objects(_ listing: Listing) -> [OutputValue] {
        listing.rows.map { row in .object(zip(listing.columns, row).map { OutputValue.Field($0, $1) }) }
    }

    private static func text(_ answer: Answer, _ audience: Audience) -> String {
        switch answer {
        case .text(let text, _):
            return text.isEmpty || text.hasSuffix("\n") ? text : text + "\n"
        case .record(let fields):
            return TextTable.render(header: nil, fields.map { [$0.name, $0.value.display] }, audience)
        case .listing(let listing):
            let header = listing.columns.map { $0.uppercased().replacing("_", with: " ") }
            return TextTable.render(header: header, listing.rows.map { $0.map(\.display) }, audience)
        }
    }
}

// MARK: - Writing

extension Output {
    static func write(_ text: String) {
        if write(text, to: STDOUT_FILENO) { return }
        writeError("aibox: cannot write the answer: \(describe(errno: errno))\n")
        exit(EXIT_FAILURE)
    }

    static func writeError(_ text: String) {
        _ = write(text, to: STDERR_FILENO)
    }

    private static func write(_ text: String, to descriptor: Int32) -> Bool {
        var text = text
        return text.withUTF8 { bytes in
            var sent = 0
            while sent < bytes.count {
                let count = Glibc.write(descriptor, bytes.baseAddress.map { $0 + sent }, bytes.count - sent)
                if count < 0, errno != EINTR { return false }
                sent += max(0, count)
            }
            return true
        }
    }
}
