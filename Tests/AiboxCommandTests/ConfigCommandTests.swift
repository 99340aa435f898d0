import AiboxSystem
import AiboxTestSupport
import Testing

@Suite("aibox config, as a person runs it")
struct ConfigCommandTests {
    @Test(
        "exit statuses and words",
        arguments: [
            (["--version"], 0, "0.1.0", ""), (["--help"], 0, "config", ""), (["config"], 0, "SUBCOMMANDS", ""),
            (["config", "get", "resources.cpus"], 0, "4", ""), (["config", "get", "resources.memory"], 0, "8g", ""),
            (["config", "get", "resources.cpu"], 64, "", "did you mean resources.cpus?"),
            (["config", "get"], 64, "", "aibox: Missing expected argument '<key>'"),
            (
                ["config", "set", "resources.cpus", "banana"], 64, "",
                "must be a whole number from 1 to 1024, not \"banana\""
            ),
            (["config", "list", "--bogus"], 64, "", "aibox: Unknown option '--bogus'"), (["bogus"], 64, "", "bogus"),
            (["config", "list", "-o", "xml"], 64, "", "'xml' is invalid"),
            (["config", "init", "--template", "huge"], 64, "", "'huge' is invalid"),
            (["config", "migrate"], 1, "", "there is no such file"),
            (
                ["config", "list", "--config", "/nonexistent.yaml"], 1, "",
                "cannot read /nonexistent.yaml: No such file"
            ),
            (["config", "get", "shell", "--config", ""], 1, "", "cannot read"),
        ] as [([String], Int32, String, String)])
    func statuses(arguments: [String], status: Int32, output: String, errors: String) throws {
        let command = try BuiltCommand()
        let result = try SystemCommandRunner().run(
            Command(BuiltCommand.path, arguments, environment: command.environment))
        #expect(result.termination == .exited(status))
        #expect(result.text.contains(output))
        #expect(result.errorText.contains(errors))
        if status != 0 { #expect(result.errorText.hasPrefix("aibox: ")) }
        #expect(status == 0 || result.output.isEmpty)
    }

    @Test("a value that cannot be used, or that a pin of the policy forbids, is refused before it is written")
    func refused() throws {
        let command = try BuiltCommand()
        let plain = try command.run("config", "set", "credentials.vault_addr", "http://vault.example:8200")
        #expect(plain.termination == .exited(64))
        #expect(
            plain.errorText.contains("must be an https URL without a path, or empty, not \"http://vault.example:8200\"")
        )
        let policy = try command.folder.write(
            "org.yaml", "version: 1\npins:\n  resources.cpus: 2\n  credentials.vault_addr: https://vault.example\n")
        #expect(try command.run("config", "set", "policy.org_baseline_path", policy).succeeded)
        let before = try File.text(command.configuration)
        for (key, value, line) in [
            ("resources.cpus", "4", 3), ("credentials.vault_addr", "https://other.example", 4),
        ] {
            let result = try command.run("config", "set", key, value)
            #expect(result.termination == .exited(2), "\(result.errorText)")
            #expect(result.errorText.contains("\(key) is \(value), but the organisation fixes it to"))
            #expect(result.errorText.contains("\(policy):\(line)"), "\(result.errorText)")
        }
        #expect(try File.text(command.configuration) == before)
        #expect(try command.run("config", "set", "resources.cpus", "1").succeeded, "tighter")
        #expect(try command.run("config", "set", "shell", "zsh").succeeded)
        // A policy that cannot be read keeps nobody from naming another; that nothing was held to it is said.
        try File.replace(policy, with: "version: [")
        let other = try command.folder.write("other.yaml", "version: 1\n")
        let change = try command.run("config", "set", "policy.org_baseline_path", other)
        #expect(change.succeeded && change.errorText.contains("not checked against the policy"), "\(change.errorText)")
    }

    @Test(
        "a global option stands before or after the command",
        arguments: [
            ["-o", "json", "config", "get", "shell"], ["config", "-o", "json", "get", "shell"],
            ["config", "get", "-o", "json", "shell"], ["config", "get", "shell", "-o", "json"],
        ])
    func globalOptions(arguments: [String]) throws {
        let command = try BuiltCommand()
        let result = try SystemCommandRunner().run(
            Command(BuiltCommand.path, arguments, environment: command.environment))
        #expect(
            result.text == "{\n  \"key\": \"shell\",\n  \"value\": \"bash\",\n  \"origin\": \"default\"\n}")
    }

    @Test("get sees files, variables and --config alike")
    func layers() throws {
        let command = try BuiltCommand()
        #expect(try command.run("config", "set", "shell", "zsh").succeeded)
        #expect(try command.run("config", "get", "shell").text == "zsh")
        #expect(try command.run("config", "get", "shell", variables: ["AIBOX_SHELL": "bash"]).text == "bash")
        let other = try command.folder.write("other.yaml", "shell: bash\n")
        #expect(try command.run("config", "get", "shell", "--config", other).text == "bash")
        let list = try command.run("config", "list", "--origin", variables: ["AIBOX_RESOURCES_CPUS": "2"]).text
        #expect(list.contains("shell\tzsh\t\(command.configuration):4\n"))
        #expect(list.contains("resources.cpus\t2\tAIBOX_RESOURCES_CPUS\n"))
        #expect(list.contains("runtime\tpodman\tdefault\n"))
    }

    @Test("a change is in the audit log before it is in the file; where it cannot be, nothing changes")
    func changesAreAudited() throws {
        let command = try BuiltCommand()
        #expect(try command.run("config", "set", "shell", "zsh").succeeded)
        #expect(try command.run("config", "set", "shell", "zsh").succeeded, "no change")
        let event = try command.run("audit", "search", "--type", "config.change", "-o", "jsonl").text
        #expect(event.split(separator: "\n").count == 1, "\(event)")
        for word in ["\"shell\"", "\"from\":\"bash\"", "\"to\":\"zsh\"", command.configuration] {
            #expect(event.contains(word), "\(word) in \(event)")
        }
        // A log that was tampered with takes nothing more.
        let log = command.folder.path + "/state/aibox/audit"
        for name in try Folder.names(log) where name.hasSuffix(".jsonl") {
            try File.replace(log + "/" + name, with: Array("{}\n".utf8), mode: 0o600)
        }
        #expect(try !command.run("config", "set", "shell", "bash").succeeded)
        #expect(try command.run("config", "get", "shell").text == "zsh")
    }

    @Test("a broken file stops every reader and no repairer")
    func broken() throws {
        let command = try BuiltCommand()
        try command.folder.write("config/aibox/config.yaml", "resources:\n  cpus: banana\n")
        for arguments in [["get", "shell"], ["list"]] {
            let result = try SystemCommandRunner().run(
                Command(BuiltCommand.path, ["config"] + arguments, environment: command.environment))
            #expect(result.termination == .exited(1))
            #expect(result.errorText.contains("\(command.configuration):2:9: resources.cpus must be"))
        }
        let valid = try command.run("config", "validate")
        #expect(valid.termination == .exited(1))
        #expect(valid.text.contains(":2:9:"))
        #expect(try command.run("--help").succeeded)
        #expect(try command.run("config", "set", "resources.cpus", "2").succeeded)
        #expect(try command.run("config", "validate").text == "The configuration is valid.")
        #expect(try File.text(command.configuration) == "resources:\n  cpus: 2\n")
    }

    @Test("validate answers programs with file, line and column of each problem")
    func validateJSON() throws {
        let command = try BuiltCommand()
        let file = try command.folder.write("f.yaml", "shell: fish\n")
        let result = try command.run("config", "validate", file, "-o", "jsonl")
        #expect(result.termination == .exited(1))
        #expect(
            result.text
                == "{\"valid\":false,\"problems\":[{\"source\":\"\(file)\",\"line\":1,\"column\":8,"
                + "\"message\":\"shell must be bash or zsh, not \\\"fish\\\"\"}]}")
    }

    @Test("names from outside reach the terminal without control characters")
    func escaping() throws {
        let command = try BuiltCommand()
        let result = try command.run("config", "get", "a\u{1b}]0;x\u{7}b")
        #expect(result.termination == .exited(64))
        #expect(!result.errorOutput.contains(0x1b) && !result.errorOutput.contains(7))
        let file = command.folder.path + "/\u{1b}[2J.yaml"
        try File.replace(file, with: "shell: fish\n")
        let valid = try command.run("config", "validate", file)
        #expect(!valid.output.contains(0x1b))
        #expect(valid.text.contains("\\u{1b}[2J.yaml:1:8:"))
    }

    @Test("processes that set at the same time lose nothing")
    func concurrent() async throws {
        let command = try BuiltCommand()
        let edits = [
            ("resources.cpus", "2"), ("resources.pids", "100"), ("shell", "zsh"), ("ide.ssh_port", "3000"),
            ("logging.level", "debug"), ("network.allowed_domains", "a.b"), ("runtime", "docker"), ("image", "a/b:1"),
        ]
        let environment = command.environment
        try await withThrowingTaskGroup(of: Bool.self) { group in
            for (key, value) in edits {
                group.addTask {
                    try SystemCommandRunner().run(
                        Command(BuiltCommand.path, ["config", "set", key, value], environment: environment)
                    ).succeeded
                }
            }
            for try await succeeded in group { #expect(succeeded) }
        }
        for (key, value) in edits { #expect(try command.run("config", "get", key).text == value) }
    }

    @Test("on a full disk set fails, says so, and the file is as it was")
    func fullDisk() throws {
        let command = try BuiltCommand()
        let result = try command.runIsolated(
            """
            mkdir "$2/disk"
            mount -t tmpfs -o size=32k none "$2/disk"
            "$1" config init --config "$2/disk/c.yaml" >/dev/null
            "$1" config set shell zsh --config "$2/disk/c.yaml" >/dev/null
            cp "$2/disk/c.yaml" "$2/before"
            cat /dev/zero > "$2/disk/filler" 2>/dev/null || true
            status=0
            "$1" config set resources.cpus 2 --config "$2/disk/c.yaml" || status=$?
            cmp "$2/disk/c.yaml" "$2/before"
            ls -A "$2/disk"
            exit $status
            """)
        #expect(result.termination == .exited(1))
        #expect(result.errorText.contains("No space left on device"))
        #expect(result.text == ".c.yaml.lock\nc.yaml\nfiller")
    }

    @Test("on a read-only disk set fails, says so, and the file is as it was")
    func readOnly() throws {
        let command = try BuiltCommand()
        let result = try command.runIsolated(
            """
            mkdir "$2/disk"
            mount -t tmpfs none "$2/disk"
            "$1" config init --config "$2/disk/c.yaml" >/dev/null
            mount -o remount,ro none "$2/disk"
            cp "$2/disk/c.yaml" "$2/before"
            status=0
            "$1" config set resources.cpus 2 --config "$2/disk/c.yaml" || status=$?
            cmp "$2/disk/c.yaml" "$2/before"
            exit $status
            """)
        #expect(result.termination == .exited(1))
        #expect(result.errorText.contains("Read-only file system"))
    }

    @Test("an answer that cannot be written is no success")
    func closedOutput() throws {
        let command = try BuiltCommand()
        let result = try SystemCommandRunner().run(
            Command(
                "sh", ["-c", "\"$1\" config list > /dev/full", "sh", BuiltCommand.path],
                environment: command.environment))
        #expect(result.termination == .exited(1))
        #expect(result.errorText == "aibox: cannot write the answer: No space left on device")
    }
}
