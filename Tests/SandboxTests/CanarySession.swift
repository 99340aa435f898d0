import AiboxCrypto
import AiboxSystem
import AiboxTestSupport
import AiboxWire
import Glibc
import Testing

/// A session as people have it, with a real secret of each kind: a model's key, a token for git, one for packages, one for a place of
/// its own. Everything is written down: recordings are required, and what is said with models is kept.
final class CanarySession {
    let provider: LabProvider
    let git: LabGitServer
    let mirror: LabMirror
    let fixture: SandboxFixture
    /// Names and values; some with characters that programs like to escape.
    let secrets: [String: String]
    /// Random as well, but put everywhere.
    let planted: String
    let search: CanarySearch
    /// What the commands have said, a file each.
    let said: String

    convenience init(_ engine: SandboxFixture.Engine) throws {
        try self.init(engine) { try SandboxFixture(engine: engine, policy: $0, settings: $1) }
    }

    /// - Parameter make: a sandbox of that policy and these settings.
    init(
        _ engine: SandboxFixture.Engine = .gvisor, _ make: (String, [String: String]) throws -> SandboxFixture
    ) throws {
        provider = try LabProvider()
        git = try LabGitServer()
        mirror = try LabMirror()
        func random() -> String { String(UInt64.random(in: 1 << 60 ... .max), radix: 36) }
        secrets = [
            "model": "sk-canary/\(random())+\(random())=", "git": git.secret, "mirror": mirror.secret,
            "place": "canary/\(random())=+\(random())",
        ]
        planted = "planted" + random()
        search = CanarySearch(secrets, planted: planted)
        try mirror.accept([mirror.secret, secrets["place"] ?? ""])
        try mirror.publish()
        let runtime = engine == .crun ? "runtime: {engine: gvisor, fallback: [crun]}\n" : ""
        fixture = try make(
            """
            version: 1
            \(runtime)credentials: {git_token_ttl: 1h, mirror_token_ttl: 1h, custom_ttl: 1h, llm_api_key_ttl: 1h}
            audit: {recording_policy: required}
            llm: {models: ["claude-*"], requests_per_minute: 60, logging: full}
            network:
              targets: [127.0.0.1/32]
              names:
                - {name: \(LabGitServer.name), addresses: [127.0.0.1]}
                - {name: \(LabMirror.name), addresses: [127.0.0.1]}
              authorities: [\(git.certificate), \(mirror.authority)]
              allow:
                - {id: git, hosts: [\(LabGitServer.name)], ports: [\(git.port)]}
                - {id: mirror, hosts: [\(LabMirror.name)], ports: [\(mirror.port)]}

            """,
            [
                "AIBOX_CREDENTIALS_STORE": "file", "AIBOX_NETWORK_LLM_GATEWAY": "http://127.0.0.1:\(provider.port)",
                "AIBOX_NETWORK_MIRRORS": "pip=https://\(mirror.place)/simple", "LAB_CONTROL": planted,
            ])
        said = fixture.folder.path + "/said"
        try Folder.make(said)
        try Folder.make(workspace)
        let material = try #require(Environment.value("AIBOX_TEST_MATERIAL"), "scripts/sandbox-tests sets it")
        let copy = Command("cp", ["-a", "--reflink=auto", material + "/claude", CanarySearch.program, workspace])
        try #require(try SystemCommandRunner().run(copy).succeeded)
        let code = Hex.encode(planted.utf8.map { $0 ^ 0x55 })
        _ = try File.replace(workspace + "/client.py", with: Self.client.replacing("CODE", with: code))
        try File.replace(workspace + "/work.sh", with: work)
    }

    /// Its name is in the records of podman, of aibox and of the kernel.
    var workspace: String { fixture.workspace + "/" + planted }

    /// Runs `aibox ...` and keeps what it said.
    @discardableResult
    func run(_ arguments: String..., input: String = "") throws -> CommandResult {
        let result = try SystemCommandRunner().run(
            fixture.aibox.command(arguments, in: workspace, input: Array(input.utf8)), timeout: .seconds(120))
        try keep(arguments.prefix(2).joined(separator: "-"), result)
        return result
    }

    func keep(_ name: String, _ result: CommandResult) throws {
        let name = name.replacing("/", with: "-") + "-" + String(UInt32.random(in: .min ... .max))
        try File.replace(said + "/" + name, with: result.output + result.errorOutput)
    }

    func lend() throws {
        let names = [
            ("model", ["llm-api-key:anthropic"]), ("git", ["git-token:\(LabGitServer.name):\(git.port)"]),
            ("mirror", ["mirror-token:\(mirror.place)"]),
            ("place", ["custom:lab", "--host", mirror.place, "--place", "header:x-lab-token"]),
        ]
        for (secret, arguments) in names {
            let result = try SystemCommandRunner().run(
                fixture.aibox.command(
                    ["auth", "add", "-v"] + arguments, input: Array((secrets[secret] ?? "").utf8)))
            try #require(result.succeeded, "\(result.errorText)")
            try keep("auth-add", result)
        }
    }

    /// An agent's turn, git, pip, and answers of all four servers that say the secret again.
    func use() throws {
        let turn = try run(
            "shell", "--name", fixture.name, "--", "/workspace/claude", "-p", "do it", "--model", "claude-tool",
            "--dangerously-skip-permissions")
        #expect(turn.text.contains("made-by-the-agent"), "\(turn.text) \(turn.errorText)")
        let work = try run("shell", "--name", fixture.name, "--", "bash", "/workspace/work.sh", planted)
        #expect(work.succeeded && work.text.hasSuffix("the end"), "\(work.text) \(work.errorText)")
        for said in ["cloned", "from-pip", "echoes 4"] { #expect(work.text.contains(said), "\(said): \(work.text)") }
        // The servers have seen the secrets themselves: what is searched for was in use.
        #expect(provider.log.contains(secrets["model"] ?? "-"))
        #expect(git.requests.contains { $0.contains("/echo/x.git") && $0.contains("x-access-token") })
        for which in ["[0]", "[1]"] {
            #expect(mirror.requests.contains { $0.contains("/echo") && $0.contains("\"which\": \(which)") })
        }
    }

    /// Git and pip as their users have them, then processes that stay: a client that has all answers in its memory, and words that
    /// were planted in a command line, an environment, and in files in other spellings.
    private var work: String {
        """
        set -e; export GIT_TERMINAL_PROMPT=0; url=https://\(LabGitServer.name):\(git.port)
        git clone -q $url/team/x.git /tmp/x; cd /tmp/x
        echo $1 >file; git add file; git -c user.name=a -c user.email=a@b.example commit -qm one
        git push -q origin HEAD:main; git fetch -q; echo cloned
        ! git ls-remote $url/echo/x.git
        pip install -q --disable-pip-version-check lab-package; python3 -c 'import lab_package; print(lab_package.word)'
        head -c 3000 /dev/urandom >~/control.bin; printf %s $1 | od -An -v -tx1 | tr -d ' \\n' >>~/control.bin
        printf "a$1" | base64 -w 0 >/tmp/control.b64
        curl -s -o /dev/null -m 5 https://$1.example/ || true
        CONTROL=$1 setsid sleep 900 </dev/null >/dev/null 2>&1 &
        setsid python3 -c 'import time; time.sleep(900)' $1 </dev/null >/dev/null 2>&1 &
        setsid python3 /workspace/client.py /tmp/client.done </dev/null >/tmp/client.log 2>&1 &
        for i in $(seq 300); do [ -e /tmp/client.done ] && break; sleep 0.1; done
        cat /tmp/client.log; echo the end
        """
    }

    private static let client = """
        import os, subprocess, sys, time, urllib.error, urllib.request
        word = bytes(byte ^ 0x55 for byte in bytes.fromhex("CODE"))
        kept = []
        def ask(url, body=None, **fields):
            request = urllib.request.Request(url, data=body, headers={k.replace("_", "-"): v for k, v in fields.items()})
            try:
                answer = urllib.request.urlopen(request, timeout=20)
            except urllib.error.HTTPError as error:
                answer = error
            kept.append((str(answer.headers), answer.read()))
        model = os.environ["ANTHROPIC_BASE_URL"] + "/v1/messages"
        key = os.environ["ANTHROPIC_API_KEY"]
        ask(model, b'{"model":"claude-lab","max_tokens":5,"messages":[{"role":"user","content":"%s"}]}' % word, x_api_key=key)
        ask(model, b'{"model":"claude-echo","max_tokens":5}', x_api_key=key)
        ask(os.environ["PIP_INDEX_URL"].removesuffix("/simple") + "/echo")
        ask(os.environ["AIBOX_CUSTOM_LAB_URL"].rstrip("/") + "/echo")
        rules = subprocess.run(["git", "config", "--get-regexp", "^url[.].*[.]insteadof$"], capture_output=True, text=True)
        git = [name for name in rules.stdout.split() if "/git/" in name][0]
        ask(git.removeprefix("url.").partition(".insteadof")[0].partition(".insteadOf")[0].rstrip("/")
            + "/echo/x.git/info/refs?service=git-upload-pack")
        print("echoes", sum("***" in head and b"***" in body for head, body in kept), kept, flush=True)
        open(sys.argv[1], "w").close()
        time.sleep(900)
        """

    /// Everything that aibox can say of it, with the recordings and the kept requests opened.
    func tell(isRunning: Bool) throws {
        if isRunning {
            for arguments in [
                ["status", "-o", "json"], ["status"], ["network", "show"], ["network", "log", "-n", "1000"],
                ["logs", "gateway"], ["logs", "container"],
            ] {
                let result = try SystemCommandRunner().run(
                    fixture.aibox.command(arguments + ["--name", fixture.name], in: workspace))
                #expect(result.succeeded, "\(arguments): \(result.errorText)")
                try keep(arguments.prefix(2).joined(separator: "-"), result)
            }
        }
        for arguments in [
            ["list"], ["auth", "list", "-o", "json"], ["auth", "status", "-o", "json"],
            ["policy", "log", "-o", "jsonl"],
            ["llm", "usage", "-o", "json"], ["audit", "search", "-o", "jsonl"], ["audit", "tail", "-n", "1000"],
            ["recording", "list", "-o", "json"],
        ] + ["jsonl", "cef", "ocsf", "csv"].map({ ["audit", "export", "--format", $0] }) {
            let result = try SystemCommandRunner().run(fixture.aibox.command(arguments, in: workspace))
            #expect(result.succeeded, "\(arguments): \(result.errorText)")
            try keep(arguments.prefix(2).joined(separator: "-"), result)
        }
        let starts = try JSONParser.parse(
            try run("audit", "search", "--type", "sandbox.start", "-o", "json").output)
        let stay = try #require(starts.elements?.first?["session"]?.stringValue)
        #expect(try run("audit", "report", "--session", stay).succeeded)
        let recordings = try JSONParser.parse(try run("recording", "list", "-o", "json").output).elements ?? []
        #expect(recordings.count >= 2)
        for recording in recordings {
            let id = try #require(recording["id"]?.stringValue)
            let file = said + "/recording-export-of-\(id).cast"
            if !File.exists(file) { #expect(try run("recording", "export", id, file).succeeded) }
        }
        let payloads = try Folder.names(fixture.aibox.home.path + "/state/aibox/llm-payloads")
            .filter { $0.hasSuffix(".aiboxrec") }
        #expect(payloads.count >= 3, "\(payloads)")
        for payload in payloads {
            let shown = try run("llm", "show", String(payload.prefix { $0 != "." }), "-o", "json")
            #expect(shown.succeeded, "\(shown.errorText)")
        }
    }

    /// What podman knows: the container, its image and their history, all volumes.
    func askPodman(_ image: String) throws {
        for (name, arguments) in [
            ("container", ["container", "inspect", fixture.container]), ("image", ["image", "inspect", image]),
            ("history", ["history", "--no-trunc", image]), ("logs", ["logs", fixture.container]),
            ("volumes", ["volume", "inspect", "--all"]),
        ] {
            let result = try SystemCommandRunner().run(Command("podman", arguments))
            #expect(result.succeeded, "\(arguments): \(result.errorText)")
            try keep("podman-" + name, result)
        }
    }
}
