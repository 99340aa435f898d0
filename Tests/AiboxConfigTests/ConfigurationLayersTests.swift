import AiboxSystem
import AiboxTestSupport
import Glibc
import Testing

@testable import AiboxConfig

/// A home and an /etc of its own.
struct Machine {
    let folder: TemporaryFolder
    let paths: Paths

    init() throws {
        folder = try TemporaryFolder()
        let identity = UserIdentity(uid: geteuid(), gid: getegid(), name: "dev", home: folder.path + "/home")
        paths = Paths(identity: identity, environment: [:], systemFolder: folder.path + "/etc") { _, _ in false }
    }

    var userFile: String { paths.userConfiguration }
    var systemFile: String { paths.systemConfiguration }

    func write(_ path: String, _ text: String) throws {
        try Folder.make(Path.parent(path))
        try File.replace(path, with: text, mode: 0o644)
    }

    func layers(
        file: String? = nil, _ environment: [String: String] = [:], flags: [ConfigurationOverride] = [],
        pins: [ConfigurationPin] = []
    ) -> ConfigurationLayers {
        ConfigurationLayers(paths: paths, file: file, environment: environment, overrides: flags, pins: pins)
    }
}

@Suite("Layers")
struct ConfigurationLayersTests {
    @Test("without any file the defaults hold: gVisor on, network filtered, signatures checked")
    func defaults() throws {
        let loaded = try Machine().layers().load()
        #expect(loaded.configuration == Configuration())
        #expect(loaded.files.isEmpty)
        #expect(loaded.configuration.isolation == .gvisor)
        #expect(loaded.configuration.network.enabled && loaded.configuration.registry.verifySignatures)
        for key in ConfigurationSchema.keys { #expect(loaded.origin(of: key) == .builtIn) }
    }

    @Test("each layer wins over those below it, and every value knows its origin")
    func order() throws {
        let machine = try Machine()
        let cpus = try ConfigurationSchema.known("resources.cpus")
        func load(_ environment: [String: String] = [:], _ flags: [ConfigurationOverride] = []) throws -> String {
            let loaded = try machine.layers(environment, flags: flags).load()
            return "\(loaded.value(of: cpus)) \(loaded.origin(of: cpus))"
        }
        #expect(try load() == "4 default")
        try machine.write(machine.systemFile, "resources:\n  cpus: 5\n  pids: 100\n")
        #expect(try load() == "5 \(machine.systemFile):2")
        try machine.write(machine.userFile, "# mine\nresources: {cpus: 6}\n")
        #expect(try load() == "6 \(machine.userFile):2")
        #expect(try load(["AIBOX_RESOURCES_CPUS": "7"]) == "7 AIBOX_RESOURCES_CPUS")
        let flag = ConfigurationOverride("resources.cpus", "8", flag: "--cpus")
        #expect(try load(["AIBOX_RESOURCES_CPUS": "7"], [flag]) == "8 --cpus")
        let loaded = try machine.layers().load()
        #expect(loaded.configuration.resources.pids == 100)
        #expect(loaded.files == [machine.systemFile, machine.userFile])
    }

    @Test("--config takes the user's file's place, above /etc, and must exist")
    func explicitFile() throws {
        let machine = try Machine()
        try machine.write(machine.systemFile, "shell: zsh\nruntime: docker\n")
        try machine.write(machine.userFile, "ide:\n  ssh_port: 3000\n")
        let other = try machine.folder.write("other.yaml", "runtime: podman\n")
        let loaded = try machine.layers(file: other).load().configuration
        #expect(loaded.shell == .zsh && loaded.runtime == .podman && loaded.ide.sshPort == 2222)
        let error = #expect(throws: AiboxError.self) { try machine.layers(file: other + ".none").load() }
        #expect(error?.what == "cannot read \(other).none")
        #expect(error?.why == "No such file or directory")
    }

    @Test(
        "a file that is broken or cannot be read is an error in every layer, never a default",
        arguments: [
            "runtime: [podman", "runtime: podmn\n", "\tx", "resources: 5\n", "- a\n", "true\n",
            "gvisor:\n  enabeld: false\n",
            "config_version: 2\n", "config_version: 0\n", "runtime: podman\nruntime: docker\n",
        ])
    func broken(text: String) throws {
        for isSystem in [true, false] {
            let machine = try Machine()
            let file = isSystem ? machine.systemFile : machine.userFile
            try machine.write(file, text)
            let error = #expect(throws: AiboxError.self) { try machine.layers().load() }
            #expect(error?.why?.contains(file + ":") == true)
        }
    }

    @Test("a folder, a dangling link and a closed file in the file's place are errors")
    func unreadable() throws {
        for make in [{ (path: String) in mkdir(path, 0o755) }, { path in symlink("/nonexistent/x", path) }] {
            let machine = try Machine()
            try Folder.make(Path.parent(machine.userFile))
            #expect(make(machine.userFile) == 0)
            #expect(throws: AiboxError.self) { try machine.layers().load() }
        }
        if geteuid() != 0 {
            let machine = try Machine()
            try machine.write(machine.userFile, "shell: zsh\n")
            chmod(machine.userFile, 0)
            #expect(throws: AiboxError.self) { try machine.layers().load() }
            chmod(machine.userFile, 0o600)
            chmod(Path.parent(machine.userFile), 0)
            #expect(throws: AiboxError.self) { try machine.layers().load() }
            chmod(Path.parent(machine.userFile), 0o700)
        }
    }

    @Test("all errors of all layers are shown at once")
    func together() throws {
        let machine = try Machine()
        try machine.write(machine.systemFile, "runtme: podman\nshell: fish\n")
        try machine.write(machine.userFile, "resources:\n  cpus: many\n  memroy: 4g\n")
        let error = #expect(throws: AiboxError.self) {
            try machine.layers(["AIBOX_LOGGING_LEVEL": "loud", "AIBOX_IDE_SSHPORT": "1"]).load()
        }
        let system = machine.systemFile
        let user = machine.userFile
        #expect(
            error?.why?.split(separator: "\n").dropFirst().map { String($0.dropFirst(2)) } == [
                "\(system):1:1: unknown key runtme; did you mean runtime?",
                "\(system):2:8: shell must be bash or zsh, not \"fish\"",
                "\(user):2:9: resources.cpus must be a whole number from 1 to 1024, not the text \"many\"",
                "\(user):3:3: unknown key resources.memroy; did you mean resources.memory?",
                "AIBOX_IDE_SSHPORT: there is no such setting; did you mean AIBOX_IDE_SSH_PORT?",
                "AIBOX_LOGGING_LEVEL: logging.level must be debug, info, warn or error, not \"loud\"",
            ])
    }

    @Test(
        "unknown keys name the nearest key, wherever it is",
        arguments: [
            ("cpus: 4\n", "unknown key cpus; did you mean resources.cpus?"),
            ("gvisor.enabled: true\n", "unknown key gvisor.enabled; write gvisor: and below it, indented, enabled:"),
            ("gvisr:\n  enabled: true\n", "unknown key gvisr; did you mean gvisor?"),
            (
                "audit:\n  enabled: true\n",
                "unknown key audit.enabled; it has no effect in this version (aibox config migrate removes it)"
            ),
            (
                "network:\n  proxy_port: 3128\n",
                "unknown key network.proxy_port; proxy and resolver live in the sandbox's own namespace at fixed addresses (aibox config migrate removes it)"
            ),
            ("network:\n  enabled:\n    a: 1\n", "network.enabled must be true or false, not a mapping"),
        ])
    func unknown(text: String, message: String) {
        #expect(FileLayer(Array(text.utf8), file: "f").problems.map(\.message) == [message])
    }

    @Test("every key but the version can be set by its variable", arguments: ConfigurationSchema.keys.map(\.name))
    func variables(name: String) throws {
        let key = try ConfigurationSchema.known(name)
        let value = try #require(ConfigurationSchemaTests.otherValue(key) ?? (key.isOverridable ? nil : .integer(1)))
        var environment = [key.variable: value.description]
        if name == "kata.enabled" { environment["AIBOX_GVISOR_ENABLED"] = "false" }
        let layers = try Machine().layers(environment)
        guard key.isOverridable else {
            #expect(throws: AiboxError.self) { try layers.load() }
            return
        }
        let loaded = try layers.load()
        #expect(loaded.value(of: key) == value)
        #expect(loaded.origin(of: key) == .environment(variable: key.variable))
    }

    @Test(
        "variables that look like settings and are none are errors; others are left alone",
        arguments: [
            ("AIBOX_GVISOR_ENABLE", "AIBOX_GVISOR_ENABLED"), ("AIBOX_GVISR_ENABLED", "AIBOX_GVISOR_ENABLED"),
            ("AIBOX_RUNTIM", "AIBOX_RUNTIME"), ("AIBOX_NETWORK_X", ""), ("AIBOX_RESOURCES_CPU", "AIBOX_RESOURCES_CPUS"),
            ("AIBOX_CONFIG_VERSION", "files only"),
            ("AIBOX_GIT_TOKEN", nil), ("AIBOX_LLM_API_KEY", nil), ("AIBOX_MIRROR_TOKEN", nil), ("AIBOX_SANDBOX", nil),
            ("AIBOX_VAULT_ADDR", nil), ("AIBOX_USER", nil), ("AIBOXRUNTIME", nil), ("aibox_runtime", nil),
            ("PATH", nil),
        ] as [(String, String?)])
    func foreignVariables(name: String, nearest: String?) throws {
        let layer = EnvironmentLayer([name: "x"])
        #expect(layer.settings.isEmpty)
        guard let nearest else { return #expect(layer.problems.isEmpty) }
        #expect(layer.problems.count == 1)
        #expect(layer.problems[0].message.contains(nearest))
    }

    @Test("gVisor and Kata exclude each other; neither means crun")
    func isolation() throws {
        let machine = try Machine()
        try machine.write(machine.userFile, "kata:\n  enabled: true\n")
        let error = #expect(throws: AiboxError.self) { try machine.layers().load() }
        #expect(
            error?.why?.contains("\(machine.userFile):2:3: kata.enabled and gvisor.enabled cannot both be true") == true
        )
        let off = ["AIBOX_GVISOR_ENABLED": "false"]
        #expect(try machine.layers(off).load().configuration.isolation == .kata)
        #expect(
            try machine.layers(["AIBOX_GVISOR_ENABLED": "false", "AIBOX_KATA_ENABLED": "false"]).load().configuration
                .isolation == .crun)
    }

    @Test("a wrong flag is a usage error that names the flag")
    func flags() throws {
        let error = #expect(throws: AiboxError.self) {
            try Machine().layers(flags: [ConfigurationOverride("resources.memory", "lots", flag: "--memory")]).load()
        }
        #expect(error?.code == .usage)
        #expect(error?.what == "cannot use --memory")
    }
}

@Suite("Pins")
struct ConfigurationPinTests {
    private static let source = "/etc/aibox/org-policy.yaml:7"

    private static func pin(_ key: String, _ value: String) -> ConfigurationPin {
        ConfigurationPin(key, value, source: source)
    }

    @Test(
        "no layer can loosen a pinned key; a tighter value stands",
        arguments: [
            ("gvisor.enabled", "true", "false", false), ("gvisor.enabled", "false", "true", true),
            ("network.enabled", "true", "false", true), ("network.enabled", "false", "true", false),
            ("resources.cpus", "4", "8", false), ("resources.cpus", "4", "2", true),
            ("resources.memory", "8g", "9g", false), ("resources.memory", "8g", "4096m", true),
            ("runtime", "podman", "docker", false), ("registry.verify_signatures", "true", "false", false),
            ("network.allowed_domains", "a.example,b.example", "b.example", true),
            ("network.allowed_domains", "a.example,b.example", "b.example,c.example", false),
            ("network.allowed_domains", "a.example", "*.example", false),
            ("image", "r.example/a:1", "r.example/a:2", false), ("registry.keys", "/etc/k.pub", "/tmp/mine.pub", false),
            ("policy.org_baseline_path", "/etc/aibox/org-policy.yaml", "/tmp/p.yaml", false),
            ("network.llm_gateway", "https://a.example", "https://a.example, https://mine.example", false),
            (
                "network.llm_gateway", "https://a.example,https://b.example", "https://b.example,https://c.example",
                false
            ),
            ("network.llm_gateway", "https://a.example,https://b.example", "https://c.example", false),
        ])
    func loosening(key: String, pinned: String, given: String, isAllowed: Bool) throws {
        let row = try ConfigurationSchema.known(key)
        let name = row.components.last ?? ""
        let value = YAMLWriting.inline(try row.parse(given))
        let text = row.section.map { "\($0):\n  \(name): \(value)\n" } ?? "\(name): \(value)\n"
        let pins = [Self.pin(key, pinned)]
        for way in 0..<4 {
            let machine = try Machine()
            var layers = machine.layers(pins: pins)
            let place: String
            switch way {
            case 0:
                try machine.write(machine.systemFile, text)
                place = machine.systemFile + ":"
            case 1:
                try machine.write(machine.userFile, text)
                place = machine.userFile + ":"
            case 2:
                layers.environment = [row.variable: given]
                place = row.variable
            default:
                layers.overrides = [ConfigurationOverride(key, given, flag: "--flag")]
                place = "--flag"
            }
            if isAllowed {
                #expect(try layers.load().value(of: row) == row.parse(given))
                continue
            }
            let error = #expect(throws: AiboxError.self) { try layers.load() }
            #expect(error?.code == .denied)
            #expect(error?.code.exitStatus == 2)
            #expect(error?.why?.hasPrefix(place) == true)
            #expect(error?.why?.contains(Self.source) == true)
        }
    }

    @Test("whatever list of gateways is pinned, no layer and no later pin leads a key anywhere else")
    func pinnedGateways() throws {
        let row = try ConfigurationSchema.known("network.llm_gateway")
        let hosts = ["a", "b", "c"].map { "https://\($0).example" }
        // Every list of up to three, in every order; empty is the provider itself.
        var lists: [[String]] = [[]]
        for count in 1...3 {
            for number in 0..<Int(pow(3, Double(count))) {
                var (rest, list) = (number, [String]())
                for _ in 0..<count {
                    list.append(hosts[rest % 3])
                    rest /= 3
                }
                if Set(list).count == count { lists.append(list) }
            }
        }
        for pinned in lists where !pinned.isEmpty {
            let pin = Self.pin(row.name, pinned.joined(separator: ","))
            for given in lists {
                let text = given.joined(separator: ",")
                #expect(Self.pin(row.name, text).isAsTight(as: pin) == (given == pinned))
                var configuration = Configuration()
                configuration.network.llmGateway = text
                do throws(AiboxError) {
                    try pin.hold(&configuration)
                    #expect(configuration.network.llmGateway == pin.value)
                    #expect(given == pinned || given.isEmpty)
                } catch { #expect(error.code == .denied && given != pinned && !given.isEmpty) }
            }
        }
    }

    @Test("a pinned key that no layer sets takes the pinned value and names the policy as its origin")
    func unset() throws {
        let loaded = try Machine().layers(pins: [Self.pin("resources.cpus", "2")]).load()
        #expect(loaded.configuration.resources.cpus == 2)
        #expect(loaded.origin(of: try ConfigurationSchema.known("resources.cpus")).description == Self.source)
    }

    @Test("a pin of an unknown key or an impossible value is an invalid policy")
    func invalid() throws {
        for pin in [Self.pin("resources.cpu", "2"), Self.pin("resources.cpus", "two")] {
            let error = #expect(throws: AiboxError.self) { try Machine().layers(pins: [pin]).load() }
            #expect(error?.code == .policyInvalid)
        }
    }

    @Test("config set refuses what a pin forbids and leaves the file as it was")
    func set() throws {
        let machine = try Machine()
        try machine.write(machine.userFile, "gvisor:\n  enabled: true\n")
        let layers = machine.layers(pins: [Self.pin("gvisor.enabled", "true")])
        let error = #expect(throws: AiboxError.self) { try layers.set("gvisor.enabled", to: "false") }
        #expect(error?.code == .denied)
        #expect(error?.description.contains(Self.source) == true)
        #expect(try File.text(machine.userFile) == "gvisor:\n  enabled: true\n")
        // Another value that is wrong already does not keep this one from being corrected.
        try machine.write(machine.userFile, "gvisor:\n  enabled: false\nresources:\n  cpus: 8\n")
        let two = machine.layers(pins: [Self.pin("gvisor.enabled", "true"), Self.pin("resources.cpus", "2")])
        #expect(throws: AiboxError.self) { try two.set("resources.cpus", to: "4") }
        #expect(try two.set("resources.cpus", to: "2").isChanged)
        #expect(try two.set("gvisor.enabled", to: "true").isChanged)
    }
}

@Suite("The organisation's bundle")
struct BundleSettingsTests {
    @Test("it is named by the machine's file alone, and what that says of others no user changes")
    func organisation() throws {
        let machine = try Machine()
        func check(system: String, user: String, _ environment: [String: String] = [:]) throws -> String {
            try machine.write(machine.systemFile, system)
            try machine.write(machine.userFile, user)
            do {
                let layers = machine.layers(environment)
                try layers.requireOrgPolicy(layers.load())
                return "taken"
            } catch {
                return "\(error.code) \(error.reason)"
            }
        }
        let org = "policy: {org_bundle_url: /a, org_bundle_keys: [/k, /l]}\n"
        #expect(try check(system: org, user: "") == "taken")
        for user in [
            "org_bundle_url: /b", "org_bundle_keys: [/k]", "org_bundle_keys: [/l, /k]", "org_bundle_url: \"\"",
        ] {
            #expect(
                try check(system: org, user: "policy: {\(user)}\n").hasPrefix("denied policy.org_bundle_"), "\(user)")
        }
        #expect(try check(system: "", user: org).hasPrefix("denied policy.org_bundle_url is set in "))
        #expect(try check(system: org, user: "", ["AIBOX_POLICY_ORG_BUNDLE_URL": "/b"]).contains("in files only"))
        let team = "policy: {team_bundle_url: /a, bundle_ca: /c}\n"
        #expect(try check(system: "", user: team) == "taken")
        #expect(try check(system: team, user: "policy: {team_bundle_url: /b}\n").hasPrefix("denied"))
        #expect(try check(system: team, user: "policy: {bundle_ca: \"\"}\n").hasPrefix("denied"))
        #expect(try check(system: team, user: "", ["AIBOX_POLICY_TEAM_BUNDLE_URL": "/b"]).hasPrefix("denied"))
        #expect(try check(system: team, user: "policy: {team_bundle_keys: [/k]}\n") == "taken")
        // The team's policy as a file: neither another one nor none.
        let file = "policy: {team_policy_path: /etc/aibox/team.yaml}\n"
        #expect(try check(system: file, user: "") == "taken")
        #expect(try check(system: "", user: file) == "taken")
        for (user, variables) in [
            ("policy: {team_policy_path: \"\"}\n", [:]), ("policy: {team_policy_path: /own.yaml}\n", [:]),
            ("", ["AIBOX_POLICY_TEAM_POLICY_PATH": ""]), ("", ["AIBOX_POLICY_TEAM_POLICY_PATH": "/own.yaml"]),
        ] {
            #expect(
                try check(system: file, user: user, variables).hasPrefix("denied policy.team_policy_path is set in "),
                "\(user) \(variables)")
        }
    }

    @Test("config set does not write what nobody would take")
    func setting() throws {
        let machine = try Machine()
        #expect(throws: AiboxError.self) { try machine.layers().set("policy.org_bundle_url", to: "/b") }
        #expect(!File.exists(machine.userFile))
        _ = try machine.layers(file: machine.systemFile).set("policy.org_bundle_url", to: "/b")
        #expect(throws: AiboxError.self) { try machine.layers().set("policy.team_bundle_url", to: "http://b/c") }
    }
}
