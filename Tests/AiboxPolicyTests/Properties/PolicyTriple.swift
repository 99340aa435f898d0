import AiboxWire

@testable import AiboxPolicy

/// The documents of the three layers.
struct PolicyTriple {
    var org = PolicyDocument(layer: .org, file: "org")
    var team = PolicyDocument(layer: .team, file: "team")
    var project = PolicyDocument(layer: .project, file: "project")

    /// Whether team or project say anything about a section or a field.
    func tightens(_ part: String) -> Bool {
        [team, project].contains { $0.fields.keys.contains { $0.hasPrefix(part) } }
    }

    /// The smallest triple that is still broken, by taking away statements and entries one at a time.
    func shrunk(_ isBroken: (PolicyTriple) -> Bool) -> PolicyTriple {
        var smallest = self
        var isSmaller = true
        while isSmaller {
            isSmaller = false
            for candidate in smallest.smaller where isBroken(candidate) {
                smallest = candidate
                isSmaller = true
                break
            }
        }
        return smallest
    }

    private var smaller: [PolicyTriple] {
        var candidates: [PolicyTriple] = []
        for part in [\PolicyTriple.org, \.team, \.project] {
            for (name, item) in self[keyPath: part].fields.sorted(by: { $0.key < $1.key }) {
                var without = self
                without[keyPath: part].fields[name] = nil
                candidates.append(without)
                for index in item.elements.indices {
                    var elements = item.elements
                    elements.remove(at: index)
                    var shorter = self
                    shorter[keyPath: part].fields[name]?.content = .list(elements)
                    candidates.append(shorter)
                }
            }
        }
        return candidates
    }
}

extension PolicyTriple: CustomStringConvertible {
    var description: String {
        [org, team, project].map { document in
            let said = document.fields.sorted { $0.key < $1.key }.map { "\($0): \($1.json.text)" }
            return "\(document.file) {\(said.joined(separator: ", "))}"
        }.joined(separator: "\n")
    }
}
