/// What `aibox-tool-gate` asks its gateway: one datagram a call, or one HTTP/1.1 request, `Connection: close`.
///
/// The body is strings, each with a NUL behind it: the program, the directory, the words.
public struct ToolQuestion: Sendable, Equatable {
    /// The gateway's port for it, at the gateway's address.
    public static let port: UInt16 = 8444
    public static let path = "/v1/tool"
    /// Bytes of a request's body. A longer command line is refused.
    public static let bodyLimit = 256 << 10

    /// The file that was executed, in whose place the gate stands: `/proc/self/exe`.
    public var program: String
    /// The words as the caller gave them, the program's name first. Bytes that are no UTF-8 are U+FFFD.
    public var argv: [String]
    /// The working directory; empty if it cannot be told.
    public var directory: String

    public init(program: String, argv: [String], directory: String) {
        self.program = program
        self.argv = argv
        self.directory = directory
    }
}

extension ToolQuestion {
    public var body: [UInt8] {
        var body: [UInt8] = []
        for word in [program, directory] + argv {
            body.append(contentsOf: word.utf8)
            body.append(0)
        }
        return body
    }

    public init(body: some Collection<UInt8>) throws(WireError) {
        let words = body.split(separator: 0, omittingEmptySubsequences: false).map {
            String(decoding: $0, as: UTF8.self)
        }
        // The last one is what stands behind the last NUL.
        guard words.count > 3, words.last == "" else {
            throw WireError(
                code: "usage", what: "cannot read the tool question",
                why: "it is not a program, a directory and words, each with a NUL behind it")
        }
        if !words[0].hasPrefix("/") {
            throw WireError(
                code: "usage", what: "cannot read the tool question", why: "its program is no absolute path")
        }
        self.init(program: words[0], argv: Array(words[2..<(words.count - 1)]), directory: words[1])
    }
}

/// What becomes of the call.
public struct ToolAnswer: Sendable, Equatable {
    /// Where the program itself is, inside; nil: it does not run.
    public var run: String?
    public var rule: String
    public var layer: String
    public var reason: String
    public var nextSteps: [String]

    public init(run: String?, rule: String, layer: String, reason: String, nextSteps: [String] = []) {
        self.run = run
        self.rule = rule
        self.layer = layer
        self.reason = reason
        self.nextSteps = nextSteps
    }
}
