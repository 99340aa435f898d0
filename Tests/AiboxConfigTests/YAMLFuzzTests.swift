import AiboxConfig
import AiboxSystem
import AiboxTestSupport
import Testing

@Suite("Foreign bytes")
struct YAMLFuzzTests {
    private static let pieces = [
        "a", "b: ", ": ", "- ", "? ", "\n", "  ", "\t", "[", "]", "{", "}", ",", "&x ", "*x", "!t ", "|", ">", "'",
        "\"",
        "#", "%YAML 1.2\n", "---\n", "...\n", "\\x", "\u{feff}", "\u{2028}", "é", "🐳", "\r\n", "\u{0}", "~", "true",
        "12",
        "resources:\n", "  cpus: 4\n", "network:\n  allowed_domains:\n    - a.example\n", "<<: ", "@", "`", "0x1f",
    ]

    @Test("no bytes crash the reader, and every place lies in the text", arguments: [1, 2, 3, 4] as [UInt64])
    func random(seed: UInt64) {
        var numbers = SeededGenerator(seed: seed)
        for round in 0..<3000 {
            var bytes: [UInt8] = []
            for _ in 0..<Int.random(in: 0...40, using: &numbers) {
                if round % 4 == 0 {
                    bytes.append(UInt8.random(in: 0...255, using: &numbers))
                } else {
                    bytes += Array((Self.pieces.randomElement(using: &numbers) ?? "").utf8)
                }
            }
            let (document, problems) = YAMLDocument.read(bytes, file: "f")
            if let root = document.root { check(root, bytes) }
            for problem in problems {
                #expect(problem.position.map { $0.line >= 1 && $0.column >= 1 } ?? true)
                #expect(!problem.message.isEmpty)
            }
        }
    }

    private func check(_ node: YAMLNode, _ bytes: [UInt8]) {
        #expect(node.bytes.lowerBound >= 0 && node.bytes.upperBound <= bytes.count)
        switch node.content {
        case .scalar: break
        case .list(let elements, _): for element in elements { check(element, bytes) }
        case .mapping(let entries, _):
            for entry in entries {
                #expect(entry.bytes.upperBound <= bytes.count)
                check(entry.value, bytes)
            }
        }
    }

    @Test(
        "a damaged configuration loads whole or not at all, and set keeps every other value",
        arguments: [5, 6] as [UInt64])
    func damaged(seed: UInt64) throws {
        var numbers = SeededGenerator(seed: seed)
        let folder = try TemporaryFolder()
        let template = Array(ConfigurationTemplate.enterprise.text.utf8)
        let identity = UserIdentity(uid: 1000, gid: 1000, name: "dev", home: folder.path)
        let paths = Paths(identity: identity, environment: [:], systemFolder: folder.path + "/etc") { _, _ in false }
        let file = folder.path + "/c.yaml"
        let layers = ConfigurationLayers(paths: paths, file: file)
        var changed = 0
        for _ in 0..<300 {
            var bytes = template
            for _ in 0..<Int.random(in: 1...3, using: &numbers) {
                let place = Int.random(in: 0..<bytes.count, using: &numbers)
                switch Int.random(in: 0...3, using: &numbers) {
                case 0: bytes.remove(at: place)
                case 1: bytes[place] = UInt8.random(in: 0x20...0x7e, using: &numbers)
                case 2:
                    bytes.insert(contentsOf: Array((Self.pieces.randomElement(using: &numbers) ?? "").utf8), at: place)
                default: bytes.insert(UInt8(ascii: "\n"), at: place)
                }
            }
            try File.replace(file, with: bytes)
            let before = try? layers.load()
            guard (try? layers.set("resources.pids", to: "777")) != nil else {
                #expect(try File.read(file) == bytes, "a refused set changed the file")
                continue
            }
            changed += 1
            guard var before else { continue }
            let after = try layers.load()
            before.configuration.resources.pids = 777
            #expect(after.configuration == before.configuration)
        }
        #expect(changed > 20)
    }
}
