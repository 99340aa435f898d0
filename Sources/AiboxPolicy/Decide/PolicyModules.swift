import AiboxCrypto
public import AiboxSystem
public import AiboxWire

/// The policies in Rego that answer questions: the baseline that is part of aibox, and what an organisation adds to it.
public struct PolicyModules: Sendable, Equatable {
    public struct Source: Sendable, Equatable {
        /// As in messages: a path.
        public var name: String
        public var text: [UInt8]
        /// The organisation's, and not part of aibox.
        public var isOwn: Bool

        public init(name: String, text: [UInt8], isOwn: Bool = false) {
            self.name = name
            self.text = text
            self.isOwn = isOwn
        }
    }

    public let sources: [Source]

    public init(_ sources: [Source]) { self.sources = sources }

    /// Whether the organisation has its say.
    public var hasOwn: Bool { sources.contains(where: \.isOwn) }

    /// The same with the organisation's own: every `.rego` file of a folder and below it but tests (`_test.rego`).
    ///
    /// They add refusals to the baseline, `data.aibox.org.deny`, and can take nothing away: all of them belong to the
    /// package `aibox.org` or one below it.
    ///
    /// - Parameter folder: one that does not exist adds nothing.
    public func adding(_ folder: String) throws(AiboxError) -> PolicyModules {
        if !File.exists(folder) { return self }
        var own: [Source] = []
        for path in try Self.files(folder) {
            let text = try File.read(path, limit: 1 << 20)
            guard let name = Self.packageName(text), Self.isOwn(package: name) else {
                throw AiboxError(
                    .policyInvalid, "cannot use the policy \(path)",
                    why: "its package is not \(Self.ownPackage), nor one below it",
                    remedy: "begin it with: package \(Self.ownPackage)")
            }
            own.append(Source(name: path, text: text, isOwn: true))
        }
        return PolicyModules(sources + own)
    }

    static let ownPackage = "aibox.org"

    /// Whether a package is the organisation's to write.
    static func isOwn(package name: String) -> Bool { name == ownPackage || name.hasPrefix(ownPackage + ".") }

    private static func files(_ folder: String) throws(AiboxError) -> [String] {
        var files: [String] = []
        for name in try Folder.names(folder) {
            let path = folder + "/" + name
            if File.isDirectory(path) {
                files += try Self.files(path)
            } else if name.hasSuffix(".rego"), !name.hasSuffix("_test.rego") {
                files.append(path)
            }
        }
        return files
    }

    /// The words after `package` in the first row that is neither empty nor a comment.
    static func packageName(_ text: [UInt8]) -> String? {
        for row in String(decoding: text, as: UTF8.self).split(whereSeparator: \.isNewline) {
            let words = row.prefix { $0 != "#" }.split(whereSeparator: \.isWhitespace)
            guard let first = words.first else { continue }
            return first == "package" && words.count == 2 ? String(words[1]) : nil
        }
        return nil
    }

    /// Those that an answer about an action can depend on. The organisation's own may look at any.
    func sources(for action: String?) -> [Source] {
        guard let action, !hasOwn, let packages = PolicyEngine.packages[action] else { return sources }
        let needed = ["aibox", "aibox.verdict"] + packages.map { "aibox." + $0 }
        return sources.filter { source in Self.packageName(source.text).map { needed.contains($0) } ?? true }
    }

    /// SHA-256 of all of them, in hexadecimal.
    public func digest() throws(AiboxError) -> String { try SHA256.digest(json.bytes).hex }

    /// The row that names a rule, as `file:row`; the organisation's own first.
    public func place(ofRule rule: String) -> String? {
        let literal = "\"\(rule)\""
        for source in sources.filter(\.isOwn) + sources.filter({ !$0.isOwn }) {
            let rows = String(decoding: source.text, as: UTF8.self).split(
                separator: "\n", omittingEmptySubsequences: false)
            let row = rows.firstIndex { $0.contains(literal) && !$0.hasPrefix("#") }
            if let row { return "\(source.name):\(row + 1)" }
        }
        return nil
    }
}

extension PolicyModules {
    /// As they are kept, so that a decision can be made again.
    public var json: JSONValue {
        [
            "version": 1,
            "modules": .array(
                sources.map {
                    [
                        "name": .string($0.name), "text": .string(String(decoding: $0.text, as: UTF8.self)),
                        "own": .bool($0.isOwn),
                    ]
                }),
        ]
    }

    public init(json: JSONValue) throws(WireError) {
        var fields = try WireFields(json, in: "policies in Rego")
        guard try fields.integer("version") as Int == 1 else { throw fields.error("version is not 1") }
        var sources: [Source] = []
        for entry in try fields.list("modules") {
            var module = try WireFields(entry, in: "module")
            sources.append(
                Source(
                    name: try module.string("name"), text: Array(try module.string("text").utf8),
                    isOwn: try module.bool("own")))
            try module.finish()
        }
        try fields.finish()
        self.init(sources)
    }
}
