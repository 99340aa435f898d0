import AiboxConfig
import AiboxSystem

/// Reads one `image.yaml`, strictly: every mistake is reported with its place.
struct RecipeReader {
    /// The recipes this one builds on.
    private(set) var parents: [String]
    private(set) var recipe: ImageRecipe

    private static let keys = [
        "version", "description", "extends", "packages", "omit", "folders", "links", "sources",
        "environment",
    ]

    /// - Parameter file: the name used in errors.
    init(_ bytes: [UInt8], name: String, file: String) throws(AiboxError) {
        let problems = ProblemCollector()
        let root = YAMLMapping(try YAMLDocument(bytes, file: file), keys: Self.keys, problems)
        root.require("version", "description")
        recipe = ImageRecipe(
            name: name, version: root.integer("version", in: 1...999_999) ?? 1,
            description: root.text("description") ?? "")
        parents = root.texts("extends") ?? []
        recipe.packages = Self.checked(root, "packages", "is no package name", Self.isPackageName).sorted()
        recipe.omitted = Self.checked(root, "omit", "must be relative, without ..", Self.isRelativePath)
        recipe.folders = Self.checked(root, "folders", "must be absolute, without ..", Self.isFolder)
        for line in root.texts("links") ?? [] {
            let pair = line.components(around: " -> ")
            if let pair, Self.isFolder(pair.0), Self.isFolder(pair.1) {
                recipe.links[pair.0] = pair.1
            } else {
                root.complain("links", "has \"\(line)\"; write PATH -> TARGET, both absolute, without ..")
            }
        }
        for line in root.texts("sources") ?? [] {
            if let source = AptSource(line: line), source.signedBy?.hasPrefix("/") == true {
                recipe.sources.append(source)
            } else {
                root.complain(
                    "sources", "has \"\(line)\"; write deb [signed-by=/KEYRING] URI SUITE COMPONENT")
            }
        }
        for variable in root.texts("environment") ?? [] {
            let pair = variable.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            if pair.count == 2, Self.isVariableName(pair[0]), Self.isPlainValue(pair[1]) {
                recipe.environment[String(pair[0])] = String(pair[1])
            } else {
                root.complain("environment", "has \"\(variable)\"; write NAME=VALUE without blanks and quotes")
            }
        }
        if let error = AiboxError(.failed, "cannot use the image recipe \(name)", problems: problems.problems) {
            throw error
        }
    }

    private static func checked(
        _ root: YAMLMapping, _ key: String, _ complaint: String, _ isGood: (String) -> Bool
    ) -> [String] {
        let texts = root.texts(key) ?? []
        for text in texts where !isGood(text) { root.complain(key, "has \"\(text)\", which \(complaint)") }
        return texts
    }

    /// Debian policy, section 5.6.1. The name becomes part of an argument list that is split at commas.
    private static func isPackageName(_ text: String) -> Bool {
        let letters = { (byte: UInt8) in (0x61...0x7a).contains(byte) || (0x30...0x39).contains(byte) }
        guard let first = text.utf8.first, letters(first), text.utf8.count >= 2 else { return false }
        return text.utf8.allSatisfy { letters($0) || "+-.".utf8.contains($0) }
    }

    private static func isRelativePath(_ text: String) -> Bool {
        !text.isEmpty && !text.hasPrefix("/") && !text.split(separator: "/").contains("..")
    }

    private static func isFolder(_ text: String) -> Bool {
        text.hasPrefix("/") && isRelativePath(String(text.dropFirst())) && !text.hasSuffix("/")
            && !text.utf8.contains { $0 < 0x20 }
    }

    /// The value is written into sshd's configuration, too, where blanks and quotes mean something.
    private static func isPlainValue(_ text: Substring) -> Bool {
        text.utf8.allSatisfy {
            $0 > 0x20 && $0 < 0x7f && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "'") && $0 != 0x5c
        }
    }

    private static func isVariableName(_ text: Substring) -> Bool {
        guard let first = text.utf8.first, !(0x30...0x39).contains(first) else { return false }
        return text.utf8.allSatisfy {
            (0x41...0x5a).contains($0) || (0x61...0x7a).contains($0) || (0x30...0x39).contains($0) || $0 == 0x5f
        }
    }
}

extension String {
    /// What stands before and after the first `separator`; nil without one.
    fileprivate func components(around separator: String) -> (String, String)? {
        var index = startIndex
        while index < endIndex {
            if self[index...].hasPrefix(separator) {
                return (String(self[..<index]), String(self[index...].dropFirst(separator.count)))
            }
            index = self.index(after: index)
        }
        return nil
    }
}
