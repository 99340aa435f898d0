import AiboxConfig
import AiboxPolicy
import AiboxSystem
import AiboxTestSupport
import AiboxWire
import Testing

@testable import AiboxContainer

/// A change of an argv that breaks a rule.
struct Breach: Sendable, CustomTestStringConvertible {
    let what: String
    let rule: String
    let change: @Sendable ([String]) -> [String]
    var testDescription: String { what }

    static func adding(_ rule: String, _ words: String...) -> Breach {
        Breach(what: "with \(words)", rule: rule) { ["run"] + words + $0.dropFirst() }
    }

    static func without(_ rule: String, _ words: String...) -> Breach {
        Breach(what: "without \(words)", rule: rule) { arguments in
            guard let place = arguments.firstIndex(of: words[0]) else { return arguments }
            return Array(arguments[..<place] + arguments[(place + words.count)...])
        }
    }

    static func replacing(_ rule: String, _ option: String, _ value: String) -> Breach {
        Breach(what: "with \(option) \(value)", rule: rule) { arguments in
            var arguments = arguments
            if let place = arguments.firstIndex(of: option) { arguments[place + 1] = value }
            return arguments
        }
    }

    static let all: [Breach] = [
        .adding("runtime.privileged", "--privileged"), .adding("runtime.privileged", "--privileged=true"),
        .adding("runtime.capabilities", "--cap-add", "SYS_ADMIN"), .adding("runtime.capabilities", "--cap-add=ALL"),
        .without("runtime.capabilities", "--cap-drop", "ALL"),
        .replacing("runtime.capabilities", "--cap-drop", "CHOWN"),
        .without("runtime.no_new_privileges", "--security-opt", "no-new-privileges"),
        .adding("runtime.seccomp", "--security-opt", "seccomp=unconfined"),
        Breach(what: "without a seccomp profile", rule: "runtime.seccomp") {
            $0.map { $0.hasPrefix("seccomp=") ? "label=disable" : $0 }
        },
        .adding("runtime.devices", "--device", "/dev/kvm"), .adding("runtime.namespaces", "--pid=host"),
        .adding("runtime.namespaces", "--ipc", "host"), .adding("runtime.namespaces", "--uts", "container:x"),
        .replacing("runtime.namespaces", "--userns", "host"), .replacing("runtime.user", "--user", "0:0"),
        .replacing("runtime.user", "--user", "dev"), .without("runtime.user", "--user", "1000:1000"),
        .without("runtime.read_only", "--read-only"), .adding("runtime.read_only", "--read-only=false"),
        .replacing("runtime.network", "--network", "host"), .replacing("runtime.network", "--network", "slirp4netns"),
        .adding("runtime.network", "--network", "ns:/x"), .adding("runtime.network", "-p", "80:80"),
        .adding("runtime.network", "--publish=80:80"),
        .adding("mounts.host", "--mount", "type=bind,source=/etc,target=/x"),
        .adding("mounts.host", "--mount", "type=bind,\"source=/etc\",target=/x"),
        .adding("mounts.host", "--mount=type=bind,src=/,target=/x"), .adding("mounts.host", "-v", "/var/run/p.sock:/x"),
        .adding("mounts.keys", "--volume", "/srv/u/.ssh:/x"), .adding("mounts.unknown", "--volume", "./x:/x"),
        .adding("mounts.unknown", "--mount", "type=bind,target=/x"),
        .replacing("resources.memory", "--memory", "17179869184b"), .without("resources.pids", "--pids-limit", "2048"),
        .replacing("resources.pids", "--pids-limit", "-1"), .replacing("resources.cpus", "--cpus", "64"),
        .replacing("resources.cpus", "--cpus", "0"),
    ]
}

@Suite("Whether a sandbox may start")
struct AdmissionTests {
    private static let policy = """
        version: 1
        runtime: {engine: gvisor, fallback: [crun], rootless: true}
        resources:
          memory: 8g
          cpus: 8
          pids: 2048
        """

    @Test("a container that breaks a rule is refused before anything runs, with the rule", arguments: Breach.all)
    func refused(breach: Breach) throws {
        var fixture = try StartFixture(policy: Self.policy)
        fixture.context.configuration.resources.pids = 2048
        let error = try fixture.refusal(breach.change)
        #expect(error.code == .denied, "\(error)")
        #expect(error.what == "the policy does not admit this sandbox")
        let why = error.why ?? ""
        #expect(why.contains(breach.rule + " (org, "), "\(why)")
        let place = breach.rule.hasPrefix("resources.") ? "/org.yaml:" : "aibox-policies/org/"
        #expect(why.contains(place), "\(why)")
    }

    @Test("the container as aibox asks for it is admitted, rootless and rootful, under every engine")
    func admitted() throws {
        for isRoot in [false, true] {
            var fixture = try StartFixture(
                policy: "version: 1\nruntime: {fallback: [crun, kata]}\nresources: {memory: 64g, cpus: 1024}\n",
                runtimeFolder: false)
            for gvisor in [false, true] {
                fixture.context.configuration.gvisor.enabled = gvisor
                var host = HostFacts.current
                host.isRoot = isRoot
                let admission = try fixture.admission(host)
                #expect(admission.refusal == nil, "\(admission.input.text)")
            }
        }
    }

    @Test("what another owner's workspace is a view of counts, not where the view is attached")
    func views() throws {
        var fixture = try StartFixture(runtimeFolder: false)
        fixture.context.configuration.gvisor.enabled = true
        let spec = try PodmanRunTests.spec()
        func rule(_ source: String, _ shown: String) throws -> String {
            var spec = spec
            spec.workspaceSource = source
            spec.workspacePath = shown
            return SandboxAdmission(
                AdmissionDocument(spec, wish: spec.limits, arguments: PodmanRun(spec).arguments),
                policy: try fixture.context.policySet(workspace: nil).effective(),
                engine: try PolicyEngine(fixture.context.profiles.rego), user: "u"
            ).decision.rule
        }
        #expect(try rule("/run/aibox/.workspaces/t", "/srv/project") == "admission")
        #expect(try rule("/run/aibox/.workspaces/t", "/etc/project") == "mounts.host")
        #expect(try rule("/run/aibox/t", "/srv/project") == "mounts.host")
        #expect(try rule("/srv/a,b \"c\"", "/srv/a,b \"c\"") == "admission")
    }

    @Test("a workspace that is a part of the host, or a folder of keys, is refused")
    func workspaces() throws {
        let fixture = try StartFixture(policy: Self.policy)
        let keys = fixture.folder.path + "/.ssh/project"
        try Folder.make(keys)
        let why = try fixture.refusal(workspace: keys).why ?? ""
        #expect(why.hasPrefix("mounts.keys (org, aibox-policies/org/mounts.rego:"), "\(why)")
    }

    @Test("all violations are told at once, each with its place, and who may change them")
    func together() throws {
        let fixture = try StartFixture(policy: Self.policy)
        let error = try fixture.refusal {
            ["run", "--privileged", "--cpus", "64"] + $0.dropFirst().filter { $0 != "--cpus" }
        }
        #expect(error.why?.contains("resources.cpus (org, \(fixture.folder.path)/org.yaml:5): ") == true, "\(error)")
        #expect(error.why?.contains("runtime.privileged (org, aibox-policies/org/runtime.rego:") == true, "\(error)")
        #expect(
            error.remedy?.contains("who owns \(fixture.folder.path)/org.yaml (org) may change it") == true, "\(error)")
    }

    @Test("a container that is not the one admitted is not run")
    func held() throws {
        let fixture = try StartFixture(policy: Self.policy)
        let admission = try fixture.admission()
        try admission.hold(admission.document)
        var spec = try PodmanRunTests.spec()
        spec.workspaceSource = "/srv/other"
        let other = AdmissionDocument(spec, wish: spec.limits, arguments: PodmanRun(spec).arguments)
        #expect(throws: AiboxError.self) { try admission.hold(other) }
    }

    @Test(
        "the organisation's own policies in Rego add refusals, and what cannot be used refuses",
        arguments: [
            (
                "a refusal of its own",
                "package aibox.org\n\ndeny contains {\"rule\": \"night\", \"reason\": \"not now\"} if input.action == \"start\"\n",
                AiboxError.Code.denied, "night (org, "
            ),
            (
                "by what the sandbox is to be",
                "package aibox.org.x\n\nd := 1\n", .policyInvalid, "deny is no set"
            ),
            ("a package of the baseline", "package aibox.runtime\n\ndeny := set()\n", .policyInvalid, "its package"),
            ("no package", "deny := set()\n", .policyInvalid, "its package"),
            ("what does not compile", "package aibox.org\n\ndeny contains x if y\n", .policyInvalid, "rego_"),
            ("an answer that is no set", "package aibox.org\n\ndeny := true\n", .policyInvalid, "undefined ref"),
            ("a clock", "package aibox.org\n\ndeny contains \"x\" if time.now_ns() < 0\n", .policyInvalid, "is no set"),
            (
                "an error that depends on the question",
                "package aibox.org\n\ndeny contains \"x\" if to_number(input.subject.user) > 1\n", .denied, "error"
            ),
        ] as [(String, String, AiboxError.Code, String)])
    func own(what: String, module: String, code: AiboxError.Code, words: String) throws {
        let fixture = try StartFixture(policy: Self.policy, own: module)
        let error = try fixture.refusal()
        #expect(error.code == code, "\(what): \(error)")
        #expect("\(error)".contains(words), "\(what): \(error)")
    }
}
