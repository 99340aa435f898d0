public import AiboxConfig
public import AiboxSystem

/// What one layer says: the fields that it gives, each with its place. A field that is absent says nothing.
public struct PolicyDocument: Sendable, Equatable {
    public var layer: PolicyLayer
    public var file: String
    /// By the names of `PolicySchema`.
    public var fields: [String: PolicyItem]

    public init(layer: PolicyLayer, file: String, fields: [String: PolicyItem] = [:]) {
        self.layer = layer
        self.file = file
        self.fields = fields
    }

    /// Reads strictly: what is not wholly understood is reported, with its place, and the document must not be used.
    public static func read(_ bytes: [UInt8], layer: PolicyLayer, file: String) -> (
        document: PolicyDocument, problems: [Problem]
    ) {
        let (yaml, refused) = YAMLDocument.read(bytes, file: file)
        let problems = ProblemCollector(refused)
        var document = PolicyDocument(layer: layer, file: file)
        if refused.isEmpty {
            document.fields = PolicyReader(layer: layer, file: file, problems: problems).fields(yaml)
        }
        return (document, problems.ordered)
    }

    /// Reads, or throws with everything that is wrong.
    public init(_ bytes: [UInt8], layer: PolicyLayer, file: String) throws(AiboxError) {
        let (document, problems) = Self.read(bytes, layer: layer, file: file)
        if let error = AiboxError(.policyInvalid, "cannot use the policy \(file)", problems: problems) { throw error }
        self = document
    }

    /// Reads a file of at most a mebibyte.
    public static func load(_ path: String, layer: PolicyLayer) throws(AiboxError) -> PolicyDocument {
        try PolicyDocument(try PolicySet.read(path), layer: layer, file: path)
    }
}
