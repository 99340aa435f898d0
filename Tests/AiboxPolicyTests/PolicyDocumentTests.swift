import AiboxConfig
import AiboxPolicy
import AiboxSystem
import AiboxTestSupport
import Testing

@Suite("Policy documents")
struct PolicyDocumentTests {
    @Test(
        "what is not wholly understood is refused, with its place",
        arguments: [
            ("no version", "runtime: {engine: gvisor}", "p:1:1: version is missing"),
            ("another version", "version: 2", "p:1:10: version must be from 1 to 1, not 2"),
            ("the version as a text, as the first aibox shipped it", "version: \"1.0\"", "p:1:10: version must be"),
            (
                "the envelope that the first aibox shipped", "apiVersion: v1\nkind: Policy\nversion: 1",
                "p:1:1: unknown key apiVersion"
            ),
            ("an unknown section", "version: 1\nruntimes: {}", "p:2:1: unknown key runtimes; did you mean runtime?"),
            (
                "an unknown key", "version: 1\nruntime:\n  rootles: true",
                "p:3:3: unknown key runtime.rootles; did you mean rootless?"
            ),
            (
                "an unknown key of an entry",
                "version: 1\nnetwork:\n  allow:\n    - {id: a, host: [a.example.com]}",
                "p:4:15: unknown key network.allow[0].host; did you mean hosts?"
            ),
            (
                "a key given twice", "version: 1\nruntime:\n  rootless: true\n  rootless: false",
                "p:4:3: the key \"rootless\" is already given in line 3"
            ),
            (
                "an alias", "version: 1\nruntime: &a {rootless: true}\nresources: *a",
                "p:2:10: anchors are not allowed"
            ),
            (
                "real values inside", "version: 1\ncredentials: {injection: direct}",
                "p:2:26: credentials.injection must be surrogate, not the text \"direct\"; this aibox puts no real value into a sandbox"
            ),
            ("an unknown engine", "version: 1\nruntime: {engine: runc}", "p:2:19: runtime.engine must be one of"),
            ("a field without a value", "version: 1\nruntime: {rootless: }", "runtime.rootless must be true or false"),
            ("a boolean in quotes", "version: 1\nruntime: {rootless: \"true\"}", "must be true or false, not the text"),
            ("a size that is none", "version: 1\nresources: {memory: 0.5}", "resources.memory must be a size"),
            ("millicores", "version: 1\nresources: {cpus: 500m}", "resources.cpus must be a whole number"),
            ("no processors", "version: 1\nresources: {cpus: 0}", "from 1 to 1024"),
            (
                "a duration without a unit", "version: 1\ncredentials: {git_token_ttl: 90}",
                "must be a duration such as 90s"
            ),
            ("a negative duration", "version: 1\ncredentials: {git_token_ttl: -4h}", "must be a duration"),
            ("a duration in fractions", "version: 1\ncredentials: {git_token_ttl: 1.5h}", "must be a duration"),
            (
                "a wildcard over everybody's names",
                "version: 1\nnetwork:\n  allow:\n    - id: a\n      hosts: [ok.example.com, \"*.com\"]",
                "p:5:31: network.allow[0].hosts[1]: \"*.com\" is not accepted"
            ),
            (
                "every host", "version: 1\nnetwork: {allow: [{id: a, hosts: [\"*\"]}]}",
                "\"*\" would allow every host"
            ),
            (
                "no hosts", "version: 1\nnetwork: {allow: [{id: a, hosts: []}]}",
                "network.allow[0].hosts must not be empty"
            ),
            ("an entry without hosts", "version: 1\nnetwork: {allow: [{id: a}]}", "network.allow[0].hosts is missing"),
            (
                "port 0", "version: 1\nnetwork: {allow: [{id: a, hosts: [a.example.com], ports: [0]}]}",
                "from 1 to 65535"
            ),
            (
                "an id given twice",
                "version: 1\nnetwork:\n  allow:\n    - {id: a, hosts: [a.example.com]}\n    - {id: a, hosts: [b.example.com]}",
                "p:5:8: network.allow: the id a is already taken in line 4"
            ),
            (
                "a tool allowed without a class of risk", "version: 1\ntools: {rules: [{match: [curl], allow: true}]}",
                "tools.rules[0].risk is missing"
            ),
            (
                "a tool allowed and blocked",
                "version: 1\ntools: {rules: [{match: [a], allow: true, risk: blocked-by-default}]}",
                "tools.rules[0].risk contradicts allow: true"
            ),
            (
                "a tool forbidden and safe",
                "version: 1\ntools: {rules: [{match: [a], allow: false, risk: safe}]}",
                "tools.rules[0].risk contradicts allow: false"
            ),
            (
                "a rule about leaks that looks for nothing", "version: 1\nllm: {dlp: [{id: a, action: block}]}",
                "llm.dlp[0] needs one of canary, pattern and known"
            ),
            (
                "a rule about leaks that looks for two things",
                "version: 1\nllm: {dlp: [{id: a, known: jwt, pattern: abc, action: block}]}",
                "llm.dlp[0] needs one of canary, pattern and known"
            ),
            (
                "a pattern that is none", "version: 1\nllm: {dlp: [{id: a, pattern: \"a(b\", action: block}]}",
                "llm.dlp[0].pattern must be a regular expression"
            ),
            (
                "a pattern that matches everything",
                "version: 1\nllm: {dlp: [{id: a, pattern: \"a*\", action: block}]}",
                "llm.dlp[0].pattern must be a regular expression"
            ),
            (
                "a pattern that is too large",
                "version: 1\nllm: {dlp: [{id: a, pattern: \"[a-z]{600}\", action: block}]}",
                "llm.dlp[0].pattern must be a regular expression"
            ),
            (
                "a canary that is short", "version: 1\nllm: {dlp: [{id: a, canary: \"1 2 3 4 5 6\", action: block}]}",
                "llm.dlp[0].canary must be 8 to 256 bytes"
            ),
            (
                "a cost below zero", "version: 1\nllm: {daily_cost: -1}",
                "llm.daily_cost must be an amount such as 12.50"
            ),
            ("a cost too fine", "version: 1\nllm: {daily_cost: 0.0000001}", "llm.daily_cost must be an amount"),
            ("a cost that is no number", "version: 1\nllm: {daily_cost: 1e3}", "llm.daily_cost must be an amount"),
            (
                "a review that nobody can answer", "version: 1\ntools: {review_timeout: 0s}",
                "p:2:9: tools.review_timeout is at least 1s and at most 1d"
            ),
            (
                "a review without an end", "version: 1\ntools: {review_timeout: 25h}",
                "p:2:9: tools.review_timeout is at least 1s and at most 1d"
            ),
            (
                "a rule that fits nothing", "version: 1\ntools: {rules: [{match: [], allow: false}]}",
                "must not be empty"
            ),
            (
                "a path that is read in two ways", "version: 1\nfilesystem: {deny: [/a/../b]}",
                "filesystem.deny[0] must be an absolute path without ., .. and //"
            ),
            (
                "an entry given twice", "version: 1\nfilesystem: {deny: [/a, /a]}",
                "filesystem.deny[1] is in the list already"
            ),
            ("a pin of no setting", "version: 1\npins: {resources.cpu: 4}", "did you mean resources.cpus?"),
            (
                "a pin with no such value", "version: 1\npins: {gvisor.enabled: maybe}",
                "pins.gvisor.enabled must be true or false"
            ),
            (
                "an exception without an owner",
                "version: 1\nexceptions: [{id: a, expires: 2027-01-31, hosts: [a.example.com]}]",
                "exceptions[0].owner is missing"
            ),
            (
                "an exception until a day that does not exist",
                "version: 1\nexceptions: [{id: a, owner: o, expires: 2027-02-29, hosts: [a.example.com]}]",
                "exceptions[0].expires must be a day"
            ),
            ("an unknown part", "version: 1\nrequired: [tool]", "required[0] must be a section or a field"),
            ("no mapping", "- a", "must be a mapping"),
            ("a broken text", "version: [1", "p:"), ("nothing", "", "version is missing"),
        ])
    func refused(what: String, text: String, message: String) {
        let (_, problems) = PolicyDocument.read(Array(text.utf8), layer: .org, file: "p")
        #expect(problems.contains { $0.description.contains(message) }, "\(what): \(problems)")
        #expect(throws: AiboxError.self) { try PolicyDocument(Array(text.utf8), layer: .org, file: "p") }
    }

    @Test("all mistakes are reported at once, in the order of the text")
    func allAtOnce() {
        let text = "runtime:\n  engin: gvisor\n  rootless: 1\nresources:\n  cpus: many\npins:\n  nothing: 1\n"
        let (_, problems) = PolicyDocument.read(Array(text.utf8), layer: .org, file: "p")
        #expect(problems.map { $0.position?.line } == [1, 2, 3, 5, 7])
    }

    @Test("a field that is absent is not false, and one that is empty is not absent")
    func threeValues() throws {
        let document = try PolicyDocument(
            Array("version: 1\nruntime: {rootless: false}\nnetwork: {allow: []}\n".utf8), layer: .team, file: "p")
        #expect(document.fields["runtime.rootless"]?.boolean == false)
        #expect(document.fields["runtime.ephemeral"] == nil)
        #expect(document.fields["network.allow"]?.elements.isEmpty == true)
        #expect(document.fields["network.targets"] == nil)
        #expect(document.fields["runtime.rootless"]?.origin.line == 2)
    }

    @Test(
        "sizes and durations have one meaning",
        arguments: [
            ("resources: {memory: 8Gi}", "resources.memory", 8 << 30),
            ("resources: {memory: 512m}", "resources.memory", 512 << 20),
            ("credentials: {git_token_ttl: 90000m}", "credentials.git_token_ttl", 5_400_000),
            ("credentials: {git_token_ttl: 240h0m}", "credentials.git_token_ttl", 864_000),
            ("credentials: {git_token_ttl: 0s}", "credentials.git_token_ttl", 0),
        ])
    func measures(text: String, field: String, value: Int) throws {
        let document = try PolicyDocument(Array("version: 1\n\(text)\n".utf8), layer: .org, file: "p")
        #expect(document.fields[field]?.integer == value)
    }

    @Test("bytes of any kind are refused or read, and never crash")
    func fuzz() {
        let seed =
            "version: 1\nnetwork:\n  allow:\n    - {id: a, hosts: [a.example.com], rate_limit: {connections: 4}}\npins: {gvisor.enabled: true}\n"
        var random = SeededGenerator(seed: 7)
        for _ in 0..<3000 {
            var bytes = Array(seed.utf8)
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let place = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0..<3, using: &random) {
                case 0: bytes[place] = UInt8.random(in: 0...255, using: &random)
                case 1: bytes.remove(at: place)
                default: bytes.insert(contentsOf: bytes[place...].prefix(9), at: place)
                }
            }
            let (document, problems) = PolicyDocument.read(bytes, layer: .org, file: "p")
            if problems.isEmpty { _ = EffectivePolicy.merge(organisation: document, day: "2026-01-01") }
        }
    }
}
