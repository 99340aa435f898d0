public import AiboxSystem

/// A YAML file read strictly: one document of mappings, lists and scalars, each with its line and column.
///
/// Refused, because in a file that decides about security each has hidden something before: anchors and aliases
/// (which also expand to any size), tags, directives, more than one document, duplicate keys, keys that are no plain
/// text, NUL and other control characters, line separators other than LF and CRLF, invalid UTF-8, more depth, nodes
/// or bytes than the limits.
public struct YAMLDocument: Sendable, Equatable {
    /// The name used in messages.
    public let file: String
    /// Nil if there is nothing but comments.
    public let root: YAMLNode?
    /// False if reading ended before the text did.
    let isComplete: Bool

    /// The measures beyond which a document is refused unread.
    public struct Limits: Sendable {
        public var bytes = 1 << 20
        public var depth = 32
        public var nodes = 100_000

        public init(bytes: Int = 1 << 20, depth: Int = 32, nodes: Int = 100_000) {
            self.bytes = bytes
            self.depth = depth
            self.nodes = nodes
        }
    }

    /// Reads as far as the text allows and returns what is wrong beside it. With any problem the tree may be
    /// incomplete: it is then good for further complaints, not for use.
    public static func read(
        _ bytes: [UInt8], file: String, limits: Limits = Limits()
    ) -> (document: YAMLDocument, problems: [Problem]) {
        let refused = YAMLText.problems(bytes, file: file, limit: limits.bytes)
        if !refused.isEmpty { return (YAMLDocument(file: file, root: nil, isComplete: false), refused) }
        var builder = YAMLTreeBuilder(bytes, file: file, limits: limits)
        let root = builder.document()
        return (YAMLDocument(file: file, root: root, isComplete: !builder.stopped), Problem.ordered(builder.problems))
    }

    /// Reads, or throws with every problem found.
    public init(
        _ bytes: [UInt8], file: String, limits: Limits = Limits(), code: AiboxError.Code = .failed
    ) throws(AiboxError) {
        let (document, problems) = YAMLDocument.read(bytes, file: file, limits: limits)
        if let error = AiboxError(code, "cannot use \(file)", problems: problems) { throw error }
        self = document
    }

    private init(file: String, root: YAMLNode?, isComplete: Bool) {
        self.file = file
        self.root = root
        self.isComplete = isComplete
    }
}
