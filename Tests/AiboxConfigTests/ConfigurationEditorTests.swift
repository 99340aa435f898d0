import AiboxSystem
import AiboxTestSupport
import Testing

@testable import AiboxConfig

@Suite("Changing one value of a file")
struct ConfigurationEditorTests {
    struct Edit: Sendable, CustomTestStringConvertible {
        var name: String
        var key: String
        var value: String
        var before: String
        var after: String
        var testDescription: String { name }

        init(_ name: String, _ key: String, _ value: String, _ before: String, _ after: String) {
            self.name = name
            self.key = key
            self.value = value
            self.before = before
            self.after = after
        }
    }

    static let edits: [Edit] = [
        Edit("a value at the top", "runtime", "docker", "runtime: podman\n", "runtime: docker\n"),
        Edit(
            "a value with a comment behind it", "runtime", "docker", "# head\nruntime:   podman   # why\n\n# tail\n",
            "# head\nruntime:   docker   # why\n\n# tail\n"),
        Edit("a quoted value", "runtime", "docker", "runtime: \"podman\" # c\n", "runtime: docker # c\n"),
        Edit(
            "a value that needs quotes", "workspace.default_path", "a b", "workspace: {default_path: .}\n",
            "workspace: {default_path: \"a b\"}\n"),
        Edit(
            "a word other readers take for a boolean", "workspace.default_path", "on",
            "workspace:\n  default_path: .\n", "workspace:\n  default_path: \"on\"\n"),
        Edit(
            "a number as a text", "workspace.default_path", "2024", "workspace:\n  default_path: .\n",
            "workspace:\n  default_path: \"2024\"\n"),
        Edit(
            "quotes within the value", "workspace.default_path", "a\"b\\c", "workspace:\n  default_path: .\n",
            "workspace:\n  default_path: \"a\\\"b\\\\c\"\n"),
        Edit("an empty text", "image", "", "image: x # old\n", "image: \"\" # old\n"),
        Edit(
            "nothing becomes a value", "image", "a/b:1", "image: # none yet\nshell: zsh\n",
            "image: a/b:1 # none yet\nshell: zsh\n"),
        Edit("nothing at the very end", "image", "a/b:1", "image:", "image: a/b:1"),
        Edit("null becomes a value", "image", "a/b:1", "image: ~\n", "image: a/b:1\n"),
        Edit(
            "a value in a section", "resources.cpus", "2", "resources:\n  # how many\n  cpus: 4 # four\n  memory: 8g\n",
            "resources:\n  # how many\n  cpus: 2 # four\n  memory: 8g\n"),
        Edit("another indentation", "resources.cpus", "2", "resources:\n     cpus: 4\n", "resources:\n     cpus: 2\n"),
        Edit(
            "a key missing in its section", "resources.memory", "16g",
            "resources:\n    cpus: 4 # c\n    # after\n\nshell: zsh\n",
            "resources:\n    cpus: 4 # c\n    memory: 16g\n    # after\n\nshell: zsh\n"),
        Edit(
            "a key missing in the last section, without a last line end", "resources.memory", "16g",
            "resources:\n  cpus: 4", "resources:\n  cpus: 4\n  memory: 16g\n"),
        Edit(
            "a section with all keys commented out", "resources.cpus", "2", "resources:\n  # cpus: 4\nshell: zsh\n",
            "resources:\n  cpus: 2\n  # cpus: 4\nshell: zsh\n"),
        Edit("a section that is null", "resources.cpus", "2", "resources: ~ # none\n", "resources: {cpus: 2} # none\n"),
        Edit(
            "a missing section", "resources.cpus", "2", "shell: zsh\n# end\n",
            "shell: zsh\n# end\n\nresources:\n  cpus: 2\n"),
        Edit(
            "a missing key at the top stands with the others, not in a section", "shell", "zsh",
            "runtime: podman\nresources:\n  cpus: 4\n", "runtime: podman\nshell: zsh\nresources:\n  cpus: 4\n"),
        Edit(
            "a missing key at the top where there are sections only", "shell", "zsh", "resources:\n  cpus: 4\n",
            "resources:\n  cpus: 4\nshell: zsh\n"),
        Edit("an empty file", "shell", "zsh", "", "shell: zsh\n"),
        Edit("comments only", "resources.cpus", "2", "# nothing yet\n", "# nothing yet\n\nresources:\n  cpus: 2\n"),
        Edit("a document start only", "shell", "zsh", "---\n", "---\nshell: zsh\n"),
        Edit(
            "a document end", "ide.ssh_port", "3000", "shell: zsh\n...\n", "shell: zsh\n\nide:\n  ssh_port: 3000\n...\n"
        ),
        Edit("an indented document", "runtime", "docker", "  shell: zsh\n", "  shell: zsh\n  runtime: docker\n"),
        Edit(
            "an indented document and a section", "ide.ssh_port", "3000", "  shell: zsh\n",
            "  shell: zsh\n\n  ide:\n    ssh_port: 3000\n"),
        Edit("flow style at the top", "shell", "zsh", "{runtime: podman}\n", "{runtime: podman, shell: zsh}\n"),
        Edit("an empty flow document", "ide.ssh_port", "3000", "{}\n", "{ide: {ssh_port: 3000}}\n"),
        Edit(
            "a flow section", "resources.cpus", "2", "resources: {memory: 8g} # r\n",
            "resources: {memory: 8g, cpus: 2} # r\n"),
        Edit(
            "a spaced flow section", "resources.cpus", "2", "resources: { memory: 8g }\n",
            "resources: { memory: 8g, cpus: 2 }\n"),
        Edit(
            "a flow section with a comma at its end", "resources.cpus", "2", "resources: {memory: 8g,}\n",
            "resources: {memory: 8g, cpus: 2}\n"),
        Edit(
            "a flow section over lines", "resources.cpus", "2", "resources: {\n  memory: 8g\n}\n",
            "resources: {\n  memory: 8g, cpus: 2\n}\n"),
        Edit("an empty flow section", "resources.cpus", "2", "resources: {}\n", "resources: {cpus: 2}\n"),
        Edit(
            "a value in a flow section", "resources.cpus", "2", "resources: {cpus: 4, memory: 8g}\n",
            "resources: {cpus: 2, memory: 8g}\n"),
        Edit(
            "a list in brackets", "network.allowed_domains", "b.c,d.e", "network:\n  allowed_domains: [a.b] # d\n",
            "network:\n  allowed_domains: [b.c, d.e] # d\n"),
        Edit(
            "a list emptied", "network.allowed_domains", "", "network:\n  allowed_domains: [a.b]\n",
            "network:\n  allowed_domains: []\n"),
        Edit(
            "a list by lines keeps the lines that stay", "network.allowed_domains", "c.d,new.e,a.b",
            "network:\n  allowed_domains:\n    # above all\n    - a.b # why\n    - b.c\n\n    # the third\n    - \"c.d\"\n  # end\n  enabled: true\n",
            "network:\n  allowed_domains:\n    # above all\n\n    # the third\n    - \"c.d\"\n    - new.e\n    - a.b # why\n  # end\n  enabled: true\n"
        ),
        Edit(
            "a list by lines without indentation", "network.allowed_domains", "a.b,*.c.d",
            "network:\n  allowed_domains:\n  - a.b\n  enabled: true\n",
            "network:\n  allowed_domains:\n  - a.b\n  - \"*.c.d\"\n  enabled: true\n"),
        Edit(
            "a list by lines at the end without a line end", "network.allowed_domains", "a.b,c.d",
            "network:\n  allowed_domains:\n    - a.b", "network:\n  allowed_domains:\n    - a.b\n    - c.d\n"),
        Edit(
            "a list by lines emptied", "network.allowed_domains", "",
            "network:\n  allowed_domains:\n    - a.b\n    - b.c\n  enabled: true\n",
            "network:\n  allowed_domains: []\n  enabled: true\n"),
        Edit(
            "a new list stands by lines", "network.allowed_domains", "a.b,*.c.d", "network:\n  enabled: true\n",
            "network:\n  enabled: true\n  allowed_domains:\n    - a.b\n    - \"*.c.d\"\n"),
        Edit("a new empty list", "registry.keys", "", "shell: zsh\n", "shell: zsh\n\nregistry:\n  keys: []\n"),
        Edit(
            "CRLF", "resources.cpus", "2", "# c\r\nresources:\r\n  cpus: 4 # f\r\n  memory: 8g\r\n",
            "# c\r\nresources:\r\n  cpus: 2 # f\r\n  memory: 8g\r\n"),
        Edit(
            "CRLF, a missing key", "resources.cpus", "2", "resources:\r\n  memory: 8g\r\n",
            "resources:\r\n  memory: 8g\r\n  cpus: 2\r\n"),
        Edit(
            "CRLF, a missing section", "ide.ssh_port", "3000", "shell: zsh\r\n",
            "shell: zsh\r\n\r\nide:\r\n  ssh_port: 3000\r\n"),
        Edit(
            "CRLF, a list", "network.allowed_domains", "a.b,c.d", "network:\r\n  allowed_domains:\r\n    - a.b # x\r\n",
            "network:\r\n  allowed_domains:\r\n    - a.b # x\r\n    - c.d\r\n"),
        Edit(
            "a byte order mark and text beyond ASCII", "shell", "zsh", "\u{feff}# größer 🐳\nshell: bash # ü\n",
            "\u{feff}# größer 🐳\nshell: zsh # ü\n"),
        Edit("a quoted key", "resources.cpus", "2", "\"resources\":\n  'cpus': 4\n", "\"resources\":\n  'cpus': 2\n"),
        Edit(
            "a block text as a value", "shell", "zsh", "shell: |-\n  bash\nruntime: podman\n",
            "shell: zsh\nruntime: podman\n"),
        Edit(
            "a value of several lines", "image", "c/d", "image: \"a\\\n  /b\"\nshell: zsh\n", "image: c/d\nshell: zsh\n"
        ),
        Edit(
            "a list where a value belongs", "resources.cpus", "2", "resources:\n  cpus:\n    - 4\n  memory: 8g\n",
            "resources:\n  cpus: 2\n  memory: 8g\n"),
        Edit(
            "a mapping where a value belongs", "resources.cpus", "2", "resources:\n  cpus:\n    n: 4\nshell: zsh\n",
            "resources:\n  cpus: 2\nshell: zsh\n"),
        Edit(
            "a value where a list belongs", "registry.keys", "/a.pub", "registry:\n  keys: /b.pub # c\n",
            "registry:\n  keys: [/a.pub] # c\n"),
        Edit(
            "the bad key of a broken file", "resources.cpus", "2", "resources:\n  cpus: banana # oops\n",
            "resources:\n  cpus: 2 # oops\n"),
        Edit(
            "a file broken elsewhere", "shell", "zsh", "resources:\n  cpus: banana\nshll: bash\n",
            "resources:\n  cpus: banana\nshll: bash\nshell: zsh\n"),
        Edit(
            "a file with a duplicate elsewhere", "shell", "zsh", "ide: {ssh_port: 1}\nide: {}\nshell: bash\n",
            "ide: {ssh_port: 1}\nide: {}\nshell: zsh\n"),
        Edit(
            "a value that is no YAML", "resources.cpus", "2", "resources:\n  cpus: [4 # oops\n  memory: 8g\n",
            "resources:\n  cpus: 2 # oops\n  memory: 8g\n"),
        Edit(
            "a value with an open quote", "image", "a/b", "# c\nimage: \"x\nshell: zsh\n",
            "# c\nimage: a/b\nshell: zsh\n"),
        Edit(
            "a value that begins with a sign of YAML's", "shell", "zsh", "shell: @bash\nruntime: podman\n",
            "shell: zsh\nruntime: podman\n"),
        Edit("a value that is there already", "shell", "zsh", "shell: 'zsh'\n", "shell: zsh\n"),
        Edit(
            "sizes are written in their shortest form", "resources.memory", "2048MiB", "resources: {memory: 8g}\n",
            "resources: {memory: 2g}\n"),
    ]

    @Test("one value changes and every other byte stays", arguments: edits)
    func golden(edit: Edit) throws {
        let key = try ConfigurationSchema.known(edit.key)
        let editor = ConfigurationEditor(Array(edit.before.utf8), file: "f")
        let result = String(decoding: try editor.setting(key, to: key.parse(edit.value)), as: UTF8.self)
        #expect(result == edit.after)
        // Doing it again changes nothing.
        let again = try ConfigurationEditor(Array(result.utf8), file: "f").setting(key, to: key.parse(edit.value))
        #expect(String(decoding: again, as: UTF8.self) == edit.after)
    }

    @Test(
        "what cannot be changed safely is refused with the reason",
        arguments: [
            ("a section that is a value", "resources.cpus", "2", "resources: 5\n"),
            ("a section that is a list", "resources.cpus", "2", "resources:\n  - 5\n"),
            ("a list at the top", "shell", "zsh", "- a\n"), ("a word at the top", "shell", "zsh", "hello\n"),
            ("no YAML elsewhere", "shell", "zsh", "shell: bash\nresources: [\n"),
            ("a tab", "shell", "zsh", "resources:\n\tcpus: 4\nshell: bash\n"),
            ("a NUL", "shell", "zsh", "shell: bash\n\u{0}\n"),
            ("two documents", "shell", "zsh", "shell: bash\n---\nshell: bash\n"),
            ("no YAML and the key twice", "shell", "zsh", "shell: [\nshell: [\n"),
        ])
    func refused(name: String, key: String, value: String, text: String) throws {
        let row = try ConfigurationSchema.known(key)
        let error = #expect(throws: AiboxError.self) {
            try ConfigurationEditor(Array(text.utf8), file: "f").setting(row, to: row.parse(value))
        }
        #expect(error?.what == "cannot change f")
        #expect(error?.why?.isEmpty == false)
    }

    @Test(
        "over random files: the key gets its value, all other keys keep theirs, and no comment is lost",
        arguments: [11, 12, 13] as [UInt64])
    func random(seed: UInt64) throws {
        var numbers = SeededGenerator(seed: seed)
        for _ in 0..<300 {
            let text = Self.file(&numbers)
            let bytes = Array(text.utf8)
            let before = FileLayer(bytes, file: "f")
            try #require(before.problems.isEmpty, "\(text)\n\(before.problems)")
            guard let key = ConfigurationSchema.keys.randomElement(using: &numbers),
                let value = ConfigurationSchemaTests.otherValue(key)
            else { continue }
            let edited = try ConfigurationEditor(bytes, file: "f").setting(key, to: value)
            let after = FileLayer(edited, file: "f")
            #expect(after.problems.isEmpty)
            func values(_ layer: FileLayer, without name: String) -> [String] {
                layer.settings.filter { $0.key != name }.map { "\($0.key)=\($0.value)" }.sorted()
            }
            #expect(values(after, without: key.name) == values(before, without: key.name))
            #expect(after.settings.first { $0.key == key.name }?.value == value)
            let comments = text.split(whereSeparator: \.isNewline).filter { $0.contains("# note") }.map {
                $0.drop { $0 != "#" }
            }
            let kept = String(decoding: edited, as: UTF8.self)
            for comment in comments { #expect(kept.contains(comment), "\(key.name) in\n\(text)\nlost \(comment)") }
        }
    }

    /// A valid file with random keys, layout, comments and line ends. Lists keep their comments outside.
    private static func file(_ numbers: inout SeededGenerator) -> String {
        let newline = Bool.random(using: &numbers) ? "\n" : "\r\n"
        var count = 0
        func note(_ numbers: inout SeededGenerator) -> String {
            count += 1
            return Bool.random(using: &numbers) ? "" : "  # note \(count) é"
        }
        var lines: [String] = Bool.random(using: &numbers) ? ["# note head", ""] : []
        var sections: [(name: String?, keys: [ConfigurationKey])] = []
        for key in ConfigurationSchema.keys where Int.random(in: 0...2, using: &numbers) == 0 {
            if let index = sections.firstIndex(where: { $0.name == key.section && key.section != nil }) {
                sections[index].keys.append(key)
            } else {
                sections.append((key.section, [key]))
            }
        }
        sections.shuffle(using: &numbers)
        for (section, keys) in sections {
            func entry(_ key: ConfigurationKey) -> String {
                let value = ConfigurationSchemaTests.otherValue(key) ?? key.value(in: Configuration())
                return (key.components.last ?? "") + ": " + YAMLWriting.inline(value)
            }
            guard let section else {
                lines += keys.map { entry($0) + note(&numbers) }
                continue
            }
            switch Int.random(in: 0...3, using: &numbers) {
            case 0: lines.append("\(section): {" + keys.map(entry).joined(separator: ", ") + "}" + note(&numbers))
            default:
                lines.append(section + ":" + note(&numbers))
                let indent = String(repeating: " ", count: Int.random(in: 1...4, using: &numbers))
                for key in keys {
                    if Bool.random(using: &numbers) { lines.append(indent + "# note above \(key.name)") }
                    lines.append(indent + entry(key) + note(&numbers))
                    if Int.random(in: 0...5, using: &numbers) == 0 { lines.append("") }
                }
            }
        }
        return lines.joined(separator: newline) + (Bool.random(using: &numbers) ? newline : "")
    }
}
