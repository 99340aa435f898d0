import AiboxAudit
import AiboxConfig
import AiboxNetwork
import AiboxPolicy
import AiboxSystem
import AiboxTestSupport
import AiboxWire
import Testing

@testable import AiboxContainer

@Suite("Credentials that a start lends")
struct CredentialLendingTests {
    private static let policy = """
        version: 1
        runtime: {fallback: [crun]}
        network: {allow: [{id: git, hosts: [git.example.com, other.example.com]}]}
        credentials: {git_token_ttl: 4h, llm_api_key_ttl: 8h}
        llm: {models: ["*"]}
        """
    private static let own = """
        package aibox.org

        deny contains {"rule": "no-other", "reason": "not to that one"} if {
        	input.action == "credential"
        	input.credential.destination in {"other.example.com", "llm.example.com:8443"}
        }
        """

    private static func git(_ host: String) -> PlaceGrant {
        PlaceGrant(.git, name: "git-token:\(host)", host: host, value: "Bearer a-real-secret", secret: "a-real-secret")
    }

    /// What a start would lend under this policy with these rules of the organisation's own.
    private static func lending(
        _ start: StartFixture, own: String = own, places: [PlaceGrant]? = nil, gateway: String = "",
        secret: String = "sk-real-one"
    ) throws -> (lending: CredentialLending, ruling: StartRuling) {
        let workspace = try Workspace.check(
            start.folder.path + "/project", user: .current, state: [], mounts: .current)
        let ruling = try StartRuling(start.context, workspace: workspace, sandbox: "t")
        let modules = PolicyModules(
            start.context.profiles.rego.sources + [.init(name: "own.rego", text: Array(own.utf8), isOwn: true)])
        try start.context.keepDecider(ruling, modules)
        let keys = [
            LLMKey(name: "llm:anthropic", apis: [.anthropic], secret: secret),
            LLMKey(name: "llm:own", apis: [.openai], secret: "sk-real-two", base: "https://LLM.example.com:8443/v1"),
        ]
        let lending = try CredentialLending(
            places == nil ? keys : [], places: places ?? [git("git.example.com"), git("other.example.com")],
            ruling.policy,
            judge: CredentialJudge(ruling.policy, modules, user: "u", sandbox: "t"), gateway: gateway,
            network: ruling.plan, now: 1_000_000
        ) { () throws(AiboxError) in 0 }
        return (lending, ruling)
    }

    @Test("the organisation's own rule takes back one of them, and says so; the others are lent")
    func refused() throws {
        let (lending, _) = try Self.lending(StartFixture(policy: Self.policy))
        let plan = try #require(lending.plan)
        #expect(plan.grants.map(\.name) == ["llm:anthropic"] && plan.places.map(\.host) == ["git.example.com"])
        #expect(plan.places.first?.expires == 1_014_400)
        #expect(lending.notes.count == 2, "\(lending.notes)")
        for note in lending.notes {
            #expect(note.contains("is not lent: not to that one (rule no-other, org, own.rego:3)"), "\(note)")
        }
        // A provider is not told who asks.
        #expect(plan.grants.allSatisfy { !$0.tellsWho })
        #expect(lending.rulings.map(\.isLent) == [true, false, true, false])
        for ruling in lending.rulings { #expect(ruling.event.problems == []) }
    }

    @Test("a key of AWS is lent for Bedrock alone, and a note says so")
    func aws() throws {
        let start = try StartFixture(policy: Self.policy)
        let secret = "AKIAIOSFODNN7EXAMPLE:wJalrXUtnFEMI"
        for (gateway, isLent) in [
            ("", false), ("https://llm.example.org", false),
            ("vertex+https://us-east5-aiplatform.googleapis.com/v1/projects/a/locations/us-east5", false),
            ("bedrock+https://bedrock-runtime.eu-west-1.amazonaws.com", true),
        ] {
            let (lending, _) = try Self.lending(start, gateway: gateway, secret: secret)
            let names = lending.plan?.grants.map(\.name) ?? []
            #expect(names.contains("llm:anthropic") == isLent, "\(gateway) \(names)")
            let isNoted = lending.notes.contains { $0.hasPrefix("llm:anthropic is not lent: it is a key of AWS") }
            #expect(isNoted == !isLent, "\(gateway) \(lending.notes)")
            #expect(!lending.notes.contains { $0.contains("wJalr") })
        }
    }

    @Test("of several gateways each is asked about, and where one may not have a key none gets it")
    func gateways() throws {
        let start = try StartFixture(policy: Self.policy)
        func lent(_ gateway: String) throws -> [String] {
            let (lending, _) = try Self.lending(
                start,
                own: """
                    package aibox.org

                    deny contains {"rule": "no-third", "reason": "not there"} if {
                    	input.action == "credential"
                    	input.credential.destination == "three.example.com"
                    }
                    """, gateway: gateway)
            for grant in lending.plan?.grants ?? [] { #expect(grant.base == gateway && grant.tellsWho) }
            return lending.plan?.grants.map(\.name) ?? []
        }
        #expect(try lent("https://one.example.com, https://two.example.com:8443/v1") == ["llm:anthropic", "llm:own"])
        #expect(try lent("https://one.example.com, https://three.example.com") == [])
        #expect(try lent("https://three.example.com,https://one.example.com") == [])
    }

    @Test("each kind is lent for its own time, asked about by its own name, and found inside by its own variables")
    func kinds() throws {
        let start = try StartFixture(
            policy: """
                version: 1
                runtime: {fallback: [crun]}
                network: {allow: [{id: all, hosts: [pkg.example.com, api.example.com, no.example.com]}]}
                credentials: {mirror_token_ttl: 1h, custom_ttl: 2h}

                """)
        func grant(_ kind: PlaceGrant.Kind, _ name: String, _ host: String, _ path: String = "/") -> PlaceGrant {
            PlaceGrant(kind, name: name, host: host, path: path, value: "Bearer a-real-secret", secret: "a-real-secret")
        }
        let (lending, _) = try Self.lending(
            start,
            own: """
                package aibox.org

                deny contains {"rule": "no-tracker", "reason": "not that one"} if {
                	input.action == "credential"
                	input.credential.type == "custom"
                	input.credential.destination == "no.example.com"
                }
                """,
            places: [
                grant(.git, "git-token:pkg.example.com", "pkg.example.com"),
                grant(.mirror, "mirror-token:pkg.example.com", "pkg.example.com", "/pypi"),
                grant(.mirror, "mirror-token:closed.example.com", "closed.example.com"),
                grant(.custom, "custom:my-tracker", "api.example.com", "/v1"),
                grant(.custom, "custom:my-tracker", "no.example.com"),
            ])
        let plan = try #require(lending.plan)
        #expect(plan.places.map(\.name) == ["mirror-token:pkg.example.com", "custom:my-tracker"])
        #expect(plan.places.map(\.expires) == [1_003_600, 1_007_200])
        #expect(lending.notes.contains("no credential for git is lent: credentials.git_token_ttl of the policy is 0s"))
        #expect(lending.notes.contains { $0.contains("custom:my-tracker") && $0.contains("rule no-tracker") })
        #expect(
            lending.environment.map { "\($0.name)=\($0.value)" } == [
                "AIBOX_CUSTOM_MY_TRACKER_URL=http://10.200.1.1:8443/custom/my-tracker/api.example.com/v1"
            ])
        let settings = try MirrorSettings([
            "pip=https://pkg.example.com/pypi/simple", "npm=https://pkg.example.com/npm",
            "go=https://closed.example.com",
            "cargo=https://pkg.example.com/pypi/crates",
        ])
        let variables = Dictionary(
            uniqueKeysWithValues: settings.environment(plan.places).map { ($0.name, $0.value) })
        let broker = "http://10.200.1.1:8443/mirror/pkg.example.com/pypi/"
        #expect(variables["PIP_INDEX_URL"] == broker + "simple" && variables["PIP_TRUSTED_HOST"] == "10.200.1.1:8443")
        #expect(variables["UV_DEFAULT_INDEX"] == broker + "simple" && variables["UV_INDEX_URL"] == broker + "simple")
        #expect(variables["CARGO_REGISTRIES_MIRROR_INDEX"] == "sparse+\(broker)crates/")
        // Not below the credential's path, and not lent: as it is written.
        #expect(
            variables["npm_config_registry"] == "https://pkg.example.com/npm" && variables["npm_config_audit"] == nil)
        #expect(variables["GOPROXY"] == "https://closed.example.com" && variables["GONOSUMDB"] == nil)
        #expect(variables.values.allSatisfy { !$0.contains("real") })
        #expect(settings.files(plan.places).isEmpty)
        #expect(throws: AiboxError.self) { try MirrorSettings(["go=https://a.example", "go=https://b.example"]) }
        try Self.checkFiles(plan.places)
    }

    /// Maven, Gradle and NuGet are told by files.
    private static func checkFiles(_ places: [PlaceGrant]) throws {
        let lent = try MirrorSettings([
            "maven=https://pkg.example.com/pypi/maven", "gradle=https://pkg.example.com/pypi/maven/",
            "nuget=https://pkg.example.com/pypi/v3/index.json",
        ])
        let broker = "http://10.200.1.1:8443/mirror/pkg.example.com/pypi/"
        #expect(lent.environment(places) == [.init("MAVEN_ARGS", "--global-settings=/etc/maven/settings.xml")])
        let files = lent.files(places)
        #expect(
            files.map(\.target) == [
                "/etc/maven/settings.xml", "/usr/share/gradle/init.d/aibox.init.gradle",
                "/etc/opt/NuGet/Config/aibox.config",
            ])
        #expect(files.map(\.purpose) == MirrorFiles.purposes)
        let (maven, gradle, nuget) = (files[0].text, files[1].text, files[2].text)
        #expect(maven.contains("<mirrorOf>central</mirrorOf>\n      <url>\(broker)maven</url>"))
        #expect(maven.contains("<mirrorOf>external:http:*</mirrorOf>") && maven.contains("<blocked>true</blocked>"))
        #expect(gradle.contains("def mirror = '\(broker)maven/'"))
        #expect(nuget.contains("value=\"\(broker)v3/index.json\" allowInsecureConnections=\"true\" />"))
        // Not lent: as it is written, and nothing insecure is allowed.
        let other = try MirrorSettings(["nuget=https://closed.example.com/v3/index.json"]).files(places)
        #expect(other.first?.text.contains("value=\"https://closed.example.com/v3/index.json\" />") == true)
        #expect(other.first?.text.contains("allowInsecure") == false)
    }

    @Test("each decision is in the log with all that makes it again")
    func logged() throws {
        let start = try StartFixture(policy: Self.policy)
        let (lending, ruling) = try Self.lending(start)
        let log = try AuditLog.open(
            folder: start.context.paths.auditFolder,
            context: AuditContext(source: .cli, sandbox: "t", user: "u", policy: ruling.digest))
        try log.append(lending.rulings.map(\.event))
        try log.close()
        var query = AuditIndex.Query()
        query.types = LoggedDecision.types
        let logged = try AuditIndex(folder: start.context.paths.auditFolder).search(query)
            .compactMap(LoggedDecision.init)
        #expect(logged.map(\.action) == Array(repeating: "credential", count: 4))
        for entry in logged {
            let explanation = try start.context.explain(entry)
            #expect(explanation.agrees == true && explanation.notes.isEmpty, "\(explanation)")
        }
        let refused = try #require(logged.first { $0.decision == "deny" })
        #expect(try start.context.explain(refused).changes == ["no-other: who owns own.rego (org) may change it"])
        // Nobody learns a secret from it.
        let text = try File.text(start.context.paths.auditFolder + "/events-0000000000000001.jsonl")
        #expect(!text.contains("real"))
    }

    @Test(
        "rules that say nothing of use lend nothing",
        arguments: [
            "package aibox.org\n\ndeny contains \"x\" if input.action == \"credential\"\n",
            "package aibox.org\n\ndeny := [\"x\"]\n",
        ])
    func odd(own: String) throws {
        let start = try StartFixture(policy: Self.policy)
        let result = Result { try Self.lending(start, own: own).lending }
        if case .success(let lending) = result { #expect(lending.plan == nil && lending.notes.count == 4) }
    }

    @Test("without a lifetime in the policy nothing is lent, whatever the rules say")
    func none() throws {
        let (lending, _) = try Self.lending(
            StartFixture(policy: "version: 1\nruntime: {fallback: [crun]}\n"),
            own: "package aibox.org\n\ndeny := set()\n")
        #expect(lending.plan == nil && lending.rulings.isEmpty && lending.notes.count == 2, "\(lending.notes)")
    }
}
