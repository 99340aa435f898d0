import AiboxSystem
import AiboxTestSupport
import Glibc
import Testing

extension Sandboxes {
    @Suite("Policies of three tiers and a sandbox")
    struct PolicyTests {
        @Test("a sandbox is held to the policy of its start, whatever becomes of the files until the next one")
        func kept() throws {
            let fixture = try SandboxFixture(policy: "version: 1\nresources: {memory: 1g}\n")
            try fixture.folder.write("project/aibox/policy.yaml", "version: 1\nresources: {memory: 512m}\n")
            try fixture.start()
            func shown() throws -> String {
                try fixture.aibox.run("policy", "show", "--name", fixture.name, "--origin").text
            }
            #expect(try shown().contains("resources.memory\t512m\tproject\taibox/policy.yaml:2\tyes"))
            // From inside, and from the organisation: neither reaches the sandbox that runs.
            try fixture.shell("sh", "-c", "echo 'version: 1' > /workspace/aibox/policy.yaml")
            try fixture.aibox.home.write("org-policy.yaml", "version: 1\naudit: {recording_policy: required}\n")
            #expect(try shown().contains("resources.memory\t512m"))
            #expect(try fixture.shell("true").succeeded)
            #expect(try fixture.aibox.run("recording", "list").text == "")
            // A policy that can no longer be read does not keep a sandbox from being stopped.
            try fixture.aibox.home.write("org-policy.yaml", "version: [")
            #expect(try fixture.aibox.run("stop", "--name", fixture.name).succeeded)
            try fixture.aibox.home.write("org-policy.yaml", "version: 1\nresources: {memory: 1g}\n")
            try fixture.start()
            #expect(try shown().contains("resources.memory\t1g\torg"))
            #expect(try fixture.aibox.run("audit", "search", "--type", "policy.change").text.contains(fixture.name))
        }

        @Test("a team's signed bundle holds a sandbox, which outlives its expiry; the next start is refused")
        func bundle() throws {
            let folder = try TemporaryFolder()
            let runner = SystemCommandRunner()
            let (key, archive) = (folder.path + "/key", folder.path + "/team.tar.gz")
            try runner.require(Command("openssl", ["genpkey", "-algorithm", "ed25519", "-out", key]), "no key")
            try runner.require(Command("openssl", ["pkey", "-in", key, "-pubout", "-out", key + ".pub"]), "no key")
            let fixture = try SandboxFixture(settings: [
                "AIBOX_POLICY_TEAM_BUNDLE_URL": archive, "AIBOX_POLICY_TEAM_BUNDLE_KEYS": key + ".pub",
            ])
            let missing = try fixture.aibox.run("start", "-w", fixture.workspace, "--name", fixture.name)
            #expect(
                missing.termination == .exited(2) && missing.errorText.contains("the team's bundle was never fetched"))
            let end = Timestamp(seconds: Timestamp.now.seconds + 20)
            try folder.write("team/policy.yaml", "version: 1\nresources: {memory: 768m}\n")
            try folder.write(
                "team/.manifest",
                #"{"metadata": {"aibox": {"layer": "team", "version": 3, "expires": "\#(end.rfc3339)"}}}"#)
            let made = try fixture.aibox.run("policy", "bundle", folder.path + "/team", "--key", key, "--to", archive)
            try #require(made.succeeded, "\(made.errorText)")
            try fixture.start()
            let shown = try fixture.aibox.run("policy", "show", "--name", fixture.name, "--origin").text
            #expect(shown.contains("resources.memory\t768m\tteam\tbundle team v3: policy.yaml:2\tyes"), "\(shown)")
            while Timestamp.now <= end { usleep(200_000) }
            #expect(try fixture.shell("true").succeeded)
            #expect(try fixture.aibox.run("stop", "--name", fixture.name).succeeded)
            let refused = try fixture.aibox.run("start", "-w", fixture.workspace, "--name", fixture.name)
            #expect(refused.termination == .exited(2) && refused.errorText.contains("it expired at"))
            #expect(try fixture.remains() == [])
        }

        @Test("a project that loosens starts nothing and leaves nothing")
        func loosened() throws {
            let fixture = try SandboxFixture(policy: "version: 1\nresources: {memory: 1g}\n")
            try fixture.folder.write("project/aibox/policy.yaml", "version: 1\nresources: {memory: 2g}\n")
            let result = try fixture.aibox.run("start", "-w", fixture.workspace, "--name", fixture.name)
            #expect(result.termination == .exited(2))
            #expect(result.errorText.contains("org-policy.yaml:2"))
            #expect(try fixture.remains() == [])
        }
    }
}
