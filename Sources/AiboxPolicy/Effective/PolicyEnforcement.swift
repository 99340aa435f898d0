public import AiboxSystem

/// What a policy asks for and this version of aibox does not do.
public struct PolicyEnforcement: Sendable, Equatable {
    /// Fields of documents that nothing enforces, with their places.
    public let unenforced: [(field: String, origin: PolicyOrigin)]
    /// Those among them that `required` names, with the place where it does.
    public let required: [(field: String, origin: PolicyOrigin)]

    public init(_ policy: EffectivePolicy) {
        var unenforced: [(field: String, origin: PolicyOrigin)] = []
        var required: [(field: String, origin: PolicyOrigin)] = []
        for field in PolicySchema.fields {
            let said = policy.statements[field.name]?.first { !$0.origin.isBuiltIn && !field.isEnforced($0) }
            if let said { unenforced.append((field.name, said.origin)) }
        }
        for part in policy["required"]?.elements ?? [] {
            for name in PolicySchema.names(part: part.text ?? "") ?? [] {
                guard let field = PolicySchema.field(name), let value = policy[name], !field.isEnforced(value) else {
                    continue
                }
                // A section stands for what documents say in it.
                if name == part.text || !value.origin.isBuiltIn { required.append((name, part.origin)) }
            }
        }
        self.unenforced = unenforced
        self.required = required
    }

    public static func == (left: PolicyEnforcement, right: PolicyEnforcement) -> Bool {
        left.unenforced.map(\.field) == right.unenforced.map(\.field)
            && left.required.map(\.field) == right.required.map(\.field)
    }

    /// For the person who starts a sandbox: one line for each document.
    public var notes: [String] {
        var files: [String] = []
        for (_, origin) in unenforced where !files.contains(origin.file) { files.append(origin.file) }
        return files.map { file in
            let names = unenforced.filter { $0.origin.file == file }.map(\.field).joined(separator: ", ")
            return "this version of aibox does not enforce \(names) of \(file)"
        }
    }

    /// - Throws: `layerMissing` where the policy requires what is not enforced.
    public func refuse() throws(AiboxError) {
        guard let first = required.first else { return }
        throw AiboxError(
            .layerMissing, "the policy requires what this version of aibox does not enforce",
            why: required.map(\.field).joined(separator: ", ") + " (required in \(first.origin))",
            remedy: "use an aibox that enforces it, or ask who owns the policy; aibox policy show says what is enforced"
        )
    }
}

extension EffectivePolicy {
    /// Whether no sandbox may start without every limit of its resources.
    public var requiresResources: Bool {
        (values["required"]?.texts ?? []).contains { $0 == "resources" || $0.hasPrefix("resources.") }
    }
}

extension PolicyField {
    /// Whether this aibox does what the value says.
    public func isEnforced(_ item: PolicyItem) -> Bool {
        switch enforcement {
        case .enforced: true
        case .always(let text): item.text == text
        case .notYet: if case .on = order { item.boolean == false } else { false }
        }
    }
}
