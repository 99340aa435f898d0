import AiboxSystem
import AiboxTestSupport
import Glibc
import Testing

@testable import AiboxConfig

@Suite("Writing the file")
struct ConfigurationFileTests {
    @Test("set makes a missing file with the template's head, private, in a private folder")
    func creates() throws {
        let machine = try Machine()
        let change = try machine.layers().set("resources.cpus", to: "2")
        #expect(change.isChanged && change.remaining.isEmpty && change.overriddenBy == nil)
        let text = try File.text(machine.userFile)
        #expect(text.hasPrefix("# Settings of aibox"))
        #expect(text.hasSuffix("config_version: 1\n\nresources:\n  cpus: 2\n"))
        #expect(try machine.layers().load().configuration.resources.cpus == 2)
        var status = stat()
        #expect(stat(machine.userFile, &status) == 0 && status.st_mode & 0o777 == 0o600)
        #expect(stat(Path.parent(machine.userFile), &status) == 0 && status.st_mode & 0o777 == 0o700)
    }

    @Test("set honours --config and leaves the user's file alone")
    func honoursConfig() throws {
        let machine = try Machine()
        try machine.write(machine.userFile, "shell: bash\n")
        let other = machine.folder.path + "/other.yaml"
        _ = try machine.layers(file: other).set("shell", to: "zsh")
        #expect(try File.text(other).contains("shell: zsh"))
        #expect(try File.text(machine.userFile) == "shell: bash\n")
    }

    @Test(
        "a refused set changes nothing and makes nothing",
        arguments: [
            ("resources.cpus", "banana", AiboxError.Code.usage), ("resources.cpu", "2", .usage),
            ("kata.enabled", "true", .failed),
            ("config_version", "2", .usage),
        ])
    func refused(key: String, value: String, code: AiboxError.Code) throws {
        let machine = try Machine()
        let error = #expect(throws: AiboxError.self) { try machine.layers().set(key, to: value) }
        #expect(error?.code == code)
        #expect(!File.exists(machine.userFile))
        try machine.write(machine.userFile, "# mine\nshell: zsh\n")
        #expect(throws: AiboxError.self) { try machine.layers().set(key, to: value) }
        #expect(try File.text(machine.userFile) == "# mine\nshell: zsh\n")
    }

    @Test("a file broken elsewhere can be corrected key by key, and what is left is told")
    func repair() throws {
        let machine = try Machine()
        try machine.write(machine.userFile, "resources:\n  cpus: banana\n  memory: lots\nshll: zsh\n")
        let first = try machine.layers().set("resources.cpus", to: "2")
        #expect(first.remaining.map { $0.position?.line } == [3, 4])
        let second = try machine.layers().set("resources.memory", to: "4g")
        #expect(second.remaining.map(\.message) == ["unknown key shll; did you mean shell?"])
        #expect(try File.text(machine.userFile) == "resources:\n  cpus: 2\n  memory: 4g\nshll: zsh\n")
    }

    @Test("set tells that a variable wins over what it wrote")
    func overridden() throws {
        let machine = try Machine()
        let change = try machine.layers(["AIBOX_SHELL": "bash"]).set("shell", to: "zsh")
        #expect(change.overriddenBy == "AIBOX_SHELL")
    }

    @Test("a linked file stays a link, and its mode stays")
    func links() throws {
        let machine = try Machine()
        let real = try machine.folder.write("dotfiles/aibox.yaml", "shell: bash\n")
        chmod(real, 0o640)
        try Folder.make(Path.parent(machine.userFile))
        #expect(symlink(real, machine.userFile) == 0)
        _ = try machine.layers().set("shell", to: "zsh")
        var status = stat()
        #expect(lstat(machine.userFile, &status) == 0 && status.st_mode & S_IFMT == S_IFLNK)
        #expect(try File.text(real) == "shell: zsh\n")
        #expect(lstat(real, &status) == 0 && status.st_mode & 0o777 == 0o640)
    }

    @Test("sets at the same time lose nothing")
    func concurrent() async throws {
        let machine = try Machine()
        let layers = machine.layers()
        let edits = [
            ("resources.cpus", "2"), ("resources.memory", "4g"), ("resources.pids", "100"),
            ("resources.tmp_size", "1g"),
            ("shell", "zsh"), ("runtime", "docker"), ("ide.ssh_port", "3000"), ("logging.level", "debug"),
            ("logging.format", "json"), ("network.resolver", "unbound"), ("network.allowed_domains", "a.b,c.d"),
            ("gvisor.platform", "ptrace"), ("registry.keys", "/a.pub"), ("workspace.default_path", "~/x"),
        ]
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (key, value) in edits { group.addTask { _ = try layers.set(key, to: value) } }
            try await group.waitForAll()
        }
        let loaded = try layers.load()
        for (name, value) in edits {
            let key = try ConfigurationSchema.known(name)
            #expect(try loaded.value(of: key) == key.parse(value), "\(name)")
        }
        #expect(try Folder.names(Path.parent(machine.userFile)) == [".config.yaml.lock", "config.yaml"])
    }

    @Test("init never overwrites without force; with force it does, and keeps every old file")
    func initialise() throws {
        let machine = try Machine()
        #expect(try machine.layers().initialise(.minimal, force: false).backup == nil)
        #expect(try File.text(machine.userFile) == ConfigurationTemplate.minimal.text)
        let error = #expect(throws: AiboxError.self) { try machine.layers().initialise(.dev, force: false) }
        #expect(error?.why == "it is already there")
        #expect(try File.text(machine.userFile) == ConfigurationTemplate.minimal.text)
        let first = try #require(try machine.layers().initialise(.dev, force: true).backup)
        let second = try #require(try machine.layers().initialise(.enterprise, force: true).backup)
        #expect(try File.text(first) == ConfigurationTemplate.minimal.text)
        #expect(try File.text(second) == ConfigurationTemplate.dev.text)
        #expect(try File.text(machine.userFile) == ConfigurationTemplate.enterprise.text)
    }

    @Test("validate shows all errors of a file, or of all layers")
    func validate() throws {
        let machine = try Machine()
        #expect(try machine.layers().validate(nil).isEmpty)
        let file = try machine.folder.write("f.yaml", "shell: fish\nresources:\n  cpus: x\n")
        #expect(try machine.layers(["AIBOX_SHELL": "x"]).validate(file).map { $0.position?.line } == [1, 3])
        #expect(try machine.layers(["AIBOX_SHELL": "x"]).validate(nil).map(\.source) == ["AIBOX_SHELL"])
        #expect(throws: AiboxError.self) { try machine.layers().validate(file + ".none") }
        #expect(throws: AiboxError.self) { try machine.layers(file: file + ".none").validate(nil) }
    }
}

@Suite("Migration")
struct ConfigurationMigrationTests {
    private static let old = """
        # mine
        runtime: podman
        gvisor:
          enabled: false
        ide:
          ssh_port: "2299"   # port
        audit:                # what we keep
          enabled: true
          falco_enabled: false
        network:
          enabled: true
          proxy_port: 3128    # squid
          llm_gateway: foundry.internal
          allowed_domains: [git.internal]
        credentials: {mode: fallback}
        dotfiles:
          repo: ""
        workspace:
          validate_fs: true
        shell: pwsh

        """
    private static let new = """
        # mine
        config_version: 1
        runtime: podman
        gvisor:
          enabled: false
        ide:
          ssh_port: 2299   # port
        network:
          enabled: true
          llm_gateway: https://foundry.internal
          allowed_domains: [git.internal]
        shell: bash

        """

    @Test("a file of the first aibox loads afterwards; everything dropped or changed is told with its line")
    func migrates() throws {
        let machine = try Machine()
        try machine.write(machine.userFile, Self.old)
        let dry = try machine.layers().migrate(dryRun: true)
        #expect(try File.text(machine.userFile) == Self.old)
        #expect(dry.backup == nil)
        let (migration, backup) = try machine.layers().migrate(dryRun: false)
        #expect(migration == dry.migration)
        #expect(try File.text(machine.userFile) == Self.new)
        #expect(try File.text(#require(backup)) == Self.old)
        #expect(migration.from == 0 && migration.to == 1)
        let told = migration.steps.map { "\($0.line) \($0.message.prefix { $0 != ":" })" }
        #expect(
            told == [
                "2 config_version", "4 gvisor.enabled stays false", "6 ide.ssh_port is the value 2299 now, not a text",
                "8 audit.enabled is removed", "9 audit.falco_enabled is removed", "12 network.proxy_port is removed",
                "13 network.llm_gateway is a URL now", "15 credentials.mode is removed", "17 dotfiles.repo is removed",
                "19 workspace.validate_fs is removed", "20 shell is bash now",
            ])
        #expect(try machine.layers().load().configuration.isolation == .crun)
    }

    @Test("a migrated file needs no migration, and keeps its bytes")
    func again() throws {
        let first = try ConfigurationMigration(Array(Self.old.utf8), file: "f")
        let second = try ConfigurationMigration(first.text, file: "f")
        #expect(second.text == first.text)
        #expect(second.steps.map(\.message) == ["gvisor.enabled stays false: the sandbox shares the host's kernel"])
        for template in ConfigurationTemplate.allCases {
            let bytes = Array(template.text.utf8)
            let migration = try ConfigurationMigration(bytes, file: "f")
            #expect(migration.text == bytes && migration.steps.isEmpty)
        }
    }

    @Test(
        "a partial file is valid on top of the defaults",
        arguments: [
            ("shell: zsh\n", "config_version: 1\nshell: zsh\n"), ("", "config_version: 1\n"),
            ("# only\n", "# only\nconfig_version: 1\n"),
            ("config_version: 0\nshell: zsh\n", "config_version: 1\nshell: zsh\n"),
            ("---\nshell: zsh\n", "---\nconfig_version: 1\nshell: zsh\n"),
            (
                "shell: zsh\r\naudit:\r\n  enabled: true\r\nruntime: podman\r\n",
                "config_version: 1\r\nshell: zsh\r\nruntime: podman\r\n"
            ),
            ("audit:\n  enabled: true", "config_version: 1\n"),
            (
                "policy:\n  hot_reload_secs: 5\n  # keep\n  team_policy_path: \"\"\n",
                "config_version: 1\npolicy:\n  # keep\n  team_policy_path: \"\"\n"
            ),
        ])
    func partial(old: String, new: String) throws {
        let migration = try ConfigurationMigration(Array(old.utf8), file: "f")
        #expect(String(decoding: migration.text, as: UTF8.self) == new)
        #expect(FileLayer(migration.text, file: "f").problems.isEmpty)
    }

    @Test(
        "what it does not know it does not touch: an error names it, and the file stays",
        arguments: [
            "runtme: podman\n", "resources:\n  cpus: many\n", "a: &x 1\n", "{audit: {enabled: true}}\n", "- a\n",
            "config_version: 9\n",
        ])
    func unknown(text: String) throws {
        let machine = try Machine()
        try machine.write(machine.userFile, text)
        #expect(throws: AiboxError.self) { try machine.layers().migrate(dryRun: false) }
        #expect(try File.text(machine.userFile) == text)
        #expect(!File.exists(machine.userFile + ".backup"))
    }

    @Test("without a file there is nothing to migrate")
    func missing() throws {
        let error = #expect(throws: AiboxError.self) { try Machine().layers().migrate(dryRun: true) }
        #expect(error?.why == "there is no such file")
    }
}
