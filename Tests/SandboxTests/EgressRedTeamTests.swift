import AiboxSystem
import AiboxTestSupport
import AiboxWire
import Glibc
import Testing

extension Sandboxes {
    /// Red team A: what an agent can try with names, TLS and requests, against the real way out of a real sandbox.
    @Suite("Attacks on the way out")
    struct EgressRedTeamTests {
        /// Those that have to pass, so that a refusal means something.
        private static let allowed: Set<String> = ["http", "https", "capitals", "final-dot", "path", "opened"]

        private func outcomes(_ text: String) -> [(name: String, outcome: String)] {
            text.split(separator: "\n").compactMap { line in
                let words = line.split(separator: " ", maxSplits: 1).map(String.init)
                return words.count == 2 ? (words[0], words[1]) : nil
            }
        }

        @Test("zero get through, and each refusal is one record", arguments: SandboxFixture.Engine.allCases)
        func attacks(engine: SandboxFixture.Engine) throws {
            let origin = try LabOrigin((geteuid() == 0 ? 1 : 3) + (engine == .crun ? 1 : 0))
            // Squid may run as another account, which has to read the origin's authority.
            chmod(origin.folder.path, 0o755)
            let opened =
                "{id: opened, hosts: [paths.test], ports: [\(origin.https)], methods: [GET], paths: [\"/public/**\"]}"
            let fixture = try SandboxFixture(
                engine: engine, policy: origin.policy(runtime: engine.rawValue, more: [opened]))
            let program = try File.text(Lab.programs + "/attack.py")
            try File.replace(fixture.workspace + "/attack.py", with: program, mode: 0o644)
            try fixture.start()
            let arguments = ["\(origin.http)", "\(origin.https)", origin.address]
            let result = try SystemCommandRunner().run(
                fixture.aibox.command(
                    ["shell", "--name", fixture.name, "--", "python3", "attack.py"] + arguments, in: fixture.workspace),
                timeout: .seconds(120))
            try #require(result.succeeded, "\(result.errorText)")
            let found = outcomes(result.text)
            let attacks = found.filter { !Self.allowed.contains($0.name) }
            #expect(found.count - attacks.count == Self.allowed.count && attacks.count >= 88)

            for (name, outcome) in found {
                let arrived = origin.log.contains("canary-\(name)\"") || origin.log.contains("canary-\(name) ")
                if Self.allowed.contains(name) {
                    #expect(outcome == "200" && arrived, "\(name): \(outcome)")
                } else {
                    #expect(
                        !arrived && (outcome == "closed" || "45".contains(outcome.prefix(1))), "\(name): \(outcome)")
                }
            }
            #expect(!origin.log.contains("secret") && !origin.log.contains("denied.test"))

            // One record a refusal, none without.
            let records = try fixture.aibox.run("audit", "search", "--type", "network.deny", "-o", "json")
            let events = try #require(
                try JSONParser.parse(records.output, limits: .init(size: 16 << 20)).elements, "\(records.errorText)")
            #expect(events.count == attacks.count, "\(attacks.map(\.name)) \(records.text)")

            // The control: without aibox every one of these canaries arrives.
            let control = try PlainPodman(fixture).python(program, arguments + ["--direct"])
            for (name, _) in attacks where !name.hasPrefix("A07-") {
                #expect(control.contains("\(name) 200") && origin.log.contains("canary-\(name)"), "\(name)")
            }
        }
    }
}
