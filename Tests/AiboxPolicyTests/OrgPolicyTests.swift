import AiboxConfig
import AiboxEmbedded
import AiboxPolicy
import AiboxSystem
import AiboxTestSupport
import Testing

@Suite("The organisation's policy")
struct OrgPolicyTests {
    private func policy(_ text: String) throws(AiboxError) -> OrgPolicy {
        try OrgPolicy(Array(text.utf8), file: "org.yaml")
    }

    @Test("the embedded baseline permits gVisor and nothing else")
    func baseline() throws {
        let bytes = try #require(EmbeddedFile.bytes("configs/policy/org-baseline.yaml"))
        let policy = try OrgPolicy.load(path: "/nonexistent/policy.yaml", embedded: bytes)
        #expect(try policy.judge(.gvisor) == .permitted)
        for engine in [Configuration.Isolation.crun, .kata] {
            let error = #expect(throws: AiboxError.self) { try policy.judge(engine) }
            #expect(error?.code == .denied)
        }
    }

    @Test("a fallback is permitted and said")
    func fallback() throws {
        let policy = try policy("version: 1\nruntime: {engine: gvisor, fallback: [crun]}\n")
        guard case .fallback(let words) = try policy.judge(.crun) else {
            Issue.record("crun is not a fallback")
            return
        }
        #expect(words.contains("crun") && words.contains("org.yaml"))
        #expect(throws: AiboxError.self) { try policy.judge(.kata) }
    }

    @Test(
        "a document that is not wholly understood is refused",
        arguments: [
            ("no version", "runtime: {engine: gvisor}"), ("another version", "version: 2"),
            ("unknown key", "version: 1\nruntimes: {}"), ("unknown engine", "version: 1\nruntime: {engine: runc}"),
            ("unknown fallback", "version: 1\nruntime: {fallback: [runc]}"),
            ("fallback is no list", "version: 1\nruntime: {fallback: crun}"), ("not a mapping", "- a"),
            ("broken", "version: [1"), ("empty", ""),
        ])
    func refused(what: String, text: String) {
        let error = #expect(throws: AiboxError.self) { try policy(text) }
        #expect(error?.code == .policyInvalid, "\(what)")
    }

    @Test("where inspection is forbidden, no entry may ask for it")
    func inspection() throws {
        let document = { (inspection: String, entry: String) in
            """
            version: 1
            network:
              inspection: \(inspection)
              allow: [{id: a, hosts: [a.example.com], ports: [443]\(entry)}]
            """
        }
        #expect(try policy(document("forbidden", "")).network.inspection == .forbidden)
        #expect(try policy(document("permitted", ", methods: [GET]")).network.inspection == .permitted)
        for entry in [", inspect: true", ", methods: [GET]", ", paths: [\"/a/**\"]"] {
            let error = #expect(throws: AiboxError.self) { try policy(document("forbidden", entry)) }
            #expect(error?.code == .policyInvalid, "\(entry)")
        }
        // In the clear there is nothing to open.
        _ = try policy(document("forbidden", ", schemes: [http], methods: [GET]"))
    }

    @Test("a file that exists and cannot be used is an error, not the baseline")
    func brokenFile() throws {
        let folder = try TemporaryFolder()
        let file = try folder.write("org.yaml", "version: 1\nfoo: bar\n")
        #expect(throws: AiboxError.self) {
            try OrgPolicy.load(path: file, embedded: Array("version: 1".utf8))
        }
    }
}
