public import AiboxConfig
public import AiboxSystem
public import AiboxWire

/// The documents that make up the policy of one sandbox, as they were read at its start. Kept for the sandbox's stay, so
/// that it is held to the same rules whatever becomes of the files.
public struct PolicySet: Sendable, Equatable {
    public struct Source: Sendable, Equatable {
        public var layer: PolicyLayer
        /// As in messages.
        public var file: String
        public var bytes: [UInt8]

        public init(layer: PolicyLayer, file: String, bytes: [UInt8]) {
            self.layer = layer
            self.file = file
            self.bytes = bytes
        }
    }

    /// At most one for each layer.
    public var sources: [Source]
    /// The day (UTC) that decides which exceptions hold.
    public var day: String

    public init(_ sources: [Source], day: String = PolicySet.today) {
        self.sources = sources
        self.day = day
    }

    /// The day in UTC.
    public static var today: String { String(Timestamp.now.rfc3339.prefix(10)) }

    /// What stands in messages for the baseline that is part of the program.
    static let embeddedName = "the embedded baseline"

    /// The bytes of a document: of a regular file, which is all that is opened without harm.
    public static func read(_ path: String) throws(AiboxError) -> [UInt8] {
        if File.exists(path), !File.isRegular(path) {
            throw AiboxError(
                .policyInvalid, "cannot use the policy \(SafeText.escaped(path))", why: "it is not an ordinary file")
        }
        return try File.readRegular(path, limit: YAMLDocument.Limits().bytes)
    }

    /// Everything that is wrong: each document by itself and, if all can be read, all of them together.
    public var problems: [Problem] {
        let read = documents
        if !read.problems.isEmpty { return read.problems }
        switch merge(read.documents) {
        case .success: return []
        case .failure(let violations): return violations.problems
        }
    }

    /// - Throws: one error with everything that is wrong.
    public func effective() throws(AiboxError) -> EffectivePolicy {
        let read = documents
        let names = sources.map(\.file).filter { file in read.problems.contains { $0.source == file } }
            .joined(separator: ", ")
        if let error = AiboxError(.policyInvalid, "cannot use the policy \(names)", problems: read.problems) {
            throw error
        }
        switch merge(read.documents) {
        case .success(let policy): return policy
        case .failure(let violations): throw violations.asError
        }
    }

    /// The same with these documents in the place of those of their layers, or beside the others.
    public func replacing(_ candidates: [Source]) -> PolicySet {
        var set = self
        set.sources.removeAll { source in candidates.contains { $0.layer == source.layer } }
        set.sources = (set.sources + candidates).sorted { $0.layer < $1.layer }
        return set
    }

    private var documents: (documents: [PolicyDocument], problems: [Problem]) {
        let read = sources.map { PolicyDocument.read($0.bytes, layer: $0.layer, file: $0.file) }
        return (read.map(\.document), read.flatMap(\.problems))
    }

    private func merge(_ documents: [PolicyDocument]) -> Result<EffectivePolicy, PolicyViolations> {
        func layer(_ layer: PolicyLayer) -> PolicyDocument? { documents.first { $0.layer == layer } }
        return EffectivePolicy.merge(
            organisation: layer(.org) ?? PolicyDocument(layer: .org, file: "default"), team: layer(.team),
            project: layer(.project), day: day)
    }
}

extension PolicySet {
    public var json: JSONValue {
        [
            "version": 1, "day": .string(day),
            "documents": .array(
                sources.map {
                    [
                        "layer": .string($0.layer.rawValue), "file": .string($0.file),
                        "text": .string(String(decoding: $0.bytes, as: UTF8.self)),
                    ]
                }),
        ]
    }

    public init(json: JSONValue) throws(WireError) {
        var fields = try WireFields(json, in: "policy")
        guard try fields.integer("version") as Int == 1 else { throw fields.error("version is not 1") }
        day = try fields.string("day")
        sources = []
        for entry in try fields.list("documents") {
            var document = try WireFields(entry, in: "document")
            guard let layer = PolicyLayer(rawValue: try document.string("layer")) else {
                throw document.error("layer is neither org, team nor project")
            }
            sources.append(
                Source(
                    layer: layer, file: try document.string("file"), bytes: Array(try document.string("text").utf8)))
            try document.finish()
        }
        try fields.finish()
    }
}
