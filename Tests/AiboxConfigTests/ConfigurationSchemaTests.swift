import AiboxSystem
import Testing

@testable import AiboxConfig

@Suite("The table of settings")
struct ConfigurationSchemaTests {
    /// The number of stored properties below a value, sections resolved; who set one is none by itself.
    private static func leaves(_ value: Any) -> Int {
        let mirror = Mirror(reflecting: value)
        guard mirror.displayStyle == .struct, !(value is ByteSize) else { return 1 }
        return mirror.children.filter { $0.label?.hasSuffix("SetBy") != true }.reduce(0) { $0 + leaves($1.value) }
    }

    @Test("every property of the configuration has exactly one row")
    func complete() {
        let keys = ConfigurationSchema.keys
        #expect(Self.leaves(Configuration()) == keys.count)
        #expect(Set(keys.map(\.name)).count == keys.count)
        #expect(Set(keys.map(\.variable)).count == keys.count)
        for key in keys {
            // A row that reads or writes another row's property would show here.
            var changed = Configuration()
            guard let other = Self.otherValue(key) else { continue }
            key.set(other, in: &changed)
            for row in keys {
                let expected = row.name == key.name ? other : row.value(in: Configuration())
                #expect(row.value(in: changed) == expected, "\(key.name) against \(row.name)")
            }
        }
    }

    /// A value that the key takes and that is not its default.
    static func otherValue(_ key: ConfigurationKey) -> ConfigurationValue? {
        let current = key.value(in: Configuration())
        switch (key.kind, current) {
        case (.boolean, .boolean(let value)): return .boolean(!value)
        case (.integer(let range), .integer(let value)):
            return range.contains(value + 1) ? .integer(value + 1) : nil
        case (.size, .size(let value)): return .size(ByteSize(bytes: value.bytes / 2))
        case (.choice(let names), .text(let value)): return names.first { $0 != value }.map(ConfigurationValue.text)
        case (.text(let form), _): return .text(form.example)
        case (.list(let form), _): return .list([form.example])
        default: return nil
        }
    }

    @Test("every default is a value that its key takes", arguments: ConfigurationSchema.keys.map(\.name))
    func defaults(name: String) throws {
        let key = try ConfigurationSchema.known(name)
        let value = key.value(in: Configuration())
        #expect(try key.parse(value.description) == value)
        let nested = key.components.dropLast().map { $0 + ": {" }.joined()
        let closing = String(repeating: "}", count: key.components.count - 1)
        let text = "\(nested)\(key.components.last ?? ""): \(YAMLWriting.inline(value))\(closing)\n"
        let layer = FileLayer(Array(text.utf8), file: "f")
        #expect(layer.problems.isEmpty)
        #expect(layer.settings.map(\.value) == [value])
    }

    /// Values of every YAML kind, with whether each key's kind takes it. `x y` is in no form.
    private static let written: [(yaml: String, kinds: Set<String>)] = [
        ("true", ["boolean"]), ("\"true\"", []), ("yes", []), ("4096", ["integer", "size"]), ("\"4096\"", ["size"]),
        ("4.5", []), ("-1", []), ("0", []), ("99999999999999999999", []), ("8g", ["size"]), ("", []), ("~", []),
        ("\"\"", ["optional"]), ("x y", ["path"]), ("{a: 1}", []), ("[]", ["list"]), ("[1]", []), ("[[a]]", []),
        ("[\"x y\"]", []), ("[~]", []), ("|\n    x\n", []),
    ]

    @Test(
        "a value of the wrong type is an error at its place, for every key and every type",
        arguments: ConfigurationSchema.keys.map(\.name))
    func wrongTypes(name: String) throws {
        let key = try ConfigurationSchema.known(name)
        if name == "config_version" {
            return #expect(FileLayer(Array("config_version: 2".utf8), file: "f").problems.count == 1)
        }
        var kinds: Set<String> = []
        switch key.kind {
        case .boolean: kinds = ["boolean"]
        case .integer: kinds = ["integer"]
        case .size: kinds = ["size"]
        case .choice: kinds = ["choice"]
        case .text(let form):
            kinds = ["text"]
            if form.accepts("") { kinds.insert("optional") }
            if form.accepts("x y") { kinds.insert("path") }
        case .list: kinds = ["list"]
        }
        for row in Self.written {
            let leaf = (key.components.last ?? "") + ": " + row.yaml
            let text = key.section.map { "\($0):\n  \(leaf)\n" } ?? leaf + "\n"
            let layer = FileLayer(Array(text.utf8), file: "f")
            var accepted = !row.kinds.isDisjoint(with: kinds)
            // 4096 bytes are below any sensible size; words and paths are texts.
            if case .size(let range) = key.kind, row.yaml.contains("4096") {
                accepted = range.contains(ByteSize(bytes: 4096))
            }
            if case .integer(let range) = key.kind, let number = Int(row.yaml) { accepted = range.contains(number) }
            if case .text(let form) = key.kind, ["yes", "8g"].contains(row.yaml) { accepted = form.accepts(row.yaml) }
            if case .text(let form) = key.kind, row.yaml.hasPrefix("|") { accepted = form.accepts("x\n") }
            if case .text(let form) = key.kind, row.yaml.hasPrefix("\"4") || row.yaml == "\"true\"" {
                accepted = form.accepts(row.yaml.filter { $0 != "\"" })
            }
            #expect(layer.settings.isEmpty != accepted, "\(name): \(row.yaml) gave \(layer.problems)")
            #expect(layer.problems.isEmpty == accepted)
            #expect(layer.problems.allSatisfy { $0.position != nil && $0.message.hasPrefix(name + " must be ") })
        }
    }

    @Test(
        "a text from a variable or the command line is checked as strictly",
        arguments: [
            ("gvisor.enabled", "True"), ("gvisor.enabled", "1"), ("gvisor.enabled", ""), ("resources.cpus", "0"),
            ("resources.cpus", "+4"), ("resources.cpus", "4.0"), ("resources.cpus", "banana"),
            ("resources.memory", "0"),
            ("resources.memory", "lots"), ("runtime", "Podman"), ("shell", "pwsh"), ("ide.ssh_port", "22"),
            ("ide.ssh_port", "65536"), ("network.allowed_domains", "a.example,"), ("network.allowed_domains", "a,a"),
            ("network.allowed_domains", "https://a"), ("network.allowed_domains", "*"),
            ("network.allowed_domains", "10.0.0.1"),
            ("network.allowed_domains", "A.example"), ("network.allowed_domains", "a..b"),
            ("network.allowed_domains", "-a.b"),
            ("network.allowed_domains", "a.*.b"), ("network.allowed_domains", "[::1]"),
            ("network.llm_gateway", "ftp://a"),
            ("network.llm_gateway", "https://"), ("network.llm_gateway", "https://u:p@a"),
            ("network.mirrors", "https://a.example"), ("network.mirrors", "pip=http://a.example"),
            ("network.mirrors", "pip=https://u:p@a.example"), ("network.mirrors", "apt=https://a.example"),
            ("network.mirrors", "pip="), ("network.mirrors", "npm=https://a.example?x"),
            ("network.llm_gateway", "https://a:0"), ("network.llm_gateway", "https://a,"),
            ("network.llm_gateway", "https://a,,https://b"), ("network.llm_gateway", "https://a https://b"),
            ("network.llm_gateway", "https://a, https://a"), ("network.llm_gateway", ","),
            ("network.llm_gateway", (0..<9).map { "https://a\($0)" }.joined(separator: ",")),
            ("network.llm_gateway", "https://a?x"), ("network.llm_gateway", "https://a/%2e"),
            ("network.llm_gateway", "https://a/../b"), ("network.llm_gateway", "https://-a.b"),
            ("network.llm_gateway", "gcp+https://a"), ("network.llm_gateway", "vertex+https://a"),
            ("network.llm_gateway", "vertex+https://a/v1/projects/p"),
            ("network.llm_gateway", "vertex+https://a/v1/projects/p/locations/l/x"),
            ("network.llm_gateway", "azure+https://a/openai/v1"), ("network.llm_gateway", "bedrock+ftp://a"),
            ("network.llm_gateway", "bedrock+https://a, https://b"), ("network.llm_gateway", "azure+azure+https://a"),
            ("network.llm_gateway", "https://a..b"), ("network.llm_gateway", "http://127.0.0.256"),
            ("credentials.vault_addr", "http://vault.example"), ("credentials.vault_addr", "vault.example:8200"),
            ("credentials.vault_addr", "https://vault.example/v1"), ("credentials.vault_addr", "https://"),
            ("credentials.vault_addr", "https://u@vault.example"), ("credentials.vault_addr", "https://a//"),
            ("credentials.vault_addr", "https://10.1"), ("credentials.vault_ca", "ca.pem"),
            ("credentials.vault_role", "../admin"), ("credentials.vault_role", "a b"),
            ("image", "--privileged"), ("image", "a b"), ("image", "a;b"),
            ("policy.org_baseline_path", "org.yaml"), ("policy.project_policy_path", "../policy.yaml"),
            ("policy.project_policy_path", "/etc/policy.yaml"), ("policy.project_policy_path", "a/../../b"),
            ("registry.keys", "key.pub"), ("workspace.default_path", ""), ("workspace.default_path", "a\u{1b}[2J"),
        ])
    func refusedTexts(name: String, text: String) throws {
        let key = try ConfigurationSchema.known(name)
        #expect(throws: UnfitValue.self) { try key.parse(text) }
    }

    @Test(
        "ordinary values are taken",
        arguments: [
            ("network.allowed_domains", "a.example, *.b.example"), ("network.allowed_domains", "git"),
            ("network.allowed_domains", "xn--bcher-kva.example"),
            ("network.llm_gateway", "https://llm.example:8443/v1"),
            ("network.llm_gateway", "https://llm.example/v1, https://llm2.example:8443/a,http://127.0.0.1:4000"),
            ("network.llm_gateway", "azure+https://acme.openai.azure.com"),
            ("network.llm_gateway", "bedrock+https://bedrock-runtime.eu-west-1.amazonaws.com"),
            (
                "network.llm_gateway",
                "vertex+https://a.example/v1/projects/p/locations/l, vertex+http://b/v1/projects/p/locations/m"
            ),
            ("network.mirrors", "pip=https://a.example/simple,npm=https://b.example:8443/npm/"),
            (
                "network.mirrors",
                "maven=https://a.example/m,gradle=https://a.example/m,nuget=https://b.example/index.json"
            ),
            ("network.llm_gateway", "http://127.0.0.1:4000"), ("credentials.vault_addr", "https://Vault.example:8200/"),
            ("credentials.vault_addr", "https://10.1.2.3:8200"), ("credentials.vault_addr", ""),
            ("image", "harbor.internal:5000/a/b:1@sha256:0a"),
            ("registry.keys", "~/k.pub,/etc/k.pub"), ("resources.memory", "2GiB"),
            ("workspace.default_path", "~/my project"),
        ])
    func takenTexts(name: String, text: String) throws {
        _ = try ConfigurationSchema.known(name).parse(text)
    }

    @Test(
        "an unknown name is a usage error with the nearest name",
        arguments: [
            ("resources.cpu", "resources.cpus"), ("memory", "resources.memory"),
            ("network.allowed_domain", "network.allowed_domains"),
            ("gvisor.enable", "gvisor.enabled"), ("resource.cpus", "resources.cpus"), ("ssh_port", "ide.ssh_port"),
        ])
    func nearest(name: String, expected: String) {
        let error = #expect(throws: AiboxError.self) { try ConfigurationSchema.known(name) }
        #expect(error?.code == .usage)
        #expect(error?.remedy == "did you mean \(expected)?")
        #expect(error?.code.exitStatus == 64)
    }

    @Test(
        "the templates are valid, set nothing below the defaults' protection, and carry the version",
        arguments: ConfigurationTemplate.allCases)
    func templates(template: ConfigurationTemplate) {
        let layer = FileLayer(Array(template.text.utf8), file: template.rawValue)
        #expect(layer.problems.isEmpty)
        #expect(layer.settings.contains { $0.key == "config_version" })
        var loaded = LoadedConfiguration(files: [])
        for setting in layer.settings { loaded.apply(setting) }
        #expect(loaded.contradictions().isEmpty)
        #expect(loaded.configuration.isolation == .gvisor)
        #expect(loaded.configuration.network.enabled)
        #expect(loaded.configuration.registry.verifySignatures)
    }

    @Test("docs/configuration.md is what the table says")
    func documentation() throws {
        let repository = Path.parent(Path.parent(Path.parent(#filePath)))
        let page = try File.text(repository + "/docs/configuration.md")
        #expect(page == ConfigurationDocumentation.markdown, "run: aibox config docs > docs/configuration.md")
    }
}
