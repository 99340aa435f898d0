import AiboxCredentials
import AiboxNetwork
import AiboxSystem
import Testing

@Suite("Names and destinations of credentials")
struct CredentialNameTests {
    @Test(
        "a name has one form",
        arguments: [
            ("git-token:github.com", "git-token:github.com"), ("git-token:GitHub.COM.", "git-token:github.com"),
            ("git-token:git.example:443", "git-token:git.example"),
            ("git-token:git.example:8443", "git-token:git.example:8443"),
            ("llm-api-key:anthropic", "llm-api-key:anthropic"),
            ("mirror-token:pypi.example", "mirror-token:pypi.example"),
            ("custom:tracker-2.x", "custom:tracker-2.x"),
        ])
    func forms(text: String, form: String) throws {
        #expect(try CredentialName(text).description == form)
        #expect(try CredentialName(form) == CredentialName(text))
    }

    @Test(
        "what is no name is refused, and never repeated: it may be the secret",
        arguments: [
            "", "ghp_canary", "git-token", "git-token:", "git-token:10.0.0.1", "git-token:canary/x",
            "git-token:canary:0",
            "git-token:canary:99999", "git-token:user@canary", "git-token:https://canary", "llm-api-key:canary",
            "llm-api-key", "custom:", "custom:-canary", "custom:a/canary", "custom:a canary", "custom:../canary",
            "custom",
            "mirror-token:canary:+443", "token:canary", "git-token:canary\u{200b}.com", "git-token:саnary.com",
            "custom:" + String(repeating: "c", count: 65),
        ])
    func refused(text: String) throws {
        let error = try #require(throws: AiboxError.self) { try CredentialName(text) }
        #expect(error.code == .usage)
        #expect(text.isEmpty || !error.description.contains("canary"), "\(error)")
    }

    @Test("the names that others wire to")
    func factories() throws {
        #expect(CredentialName.llm(.anthropic).description == "llm-api-key:anthropic")
        #expect(CredentialName.git(try HostName("git.example"), port: 8443).description == "git-token:git.example:8443")
        #expect(CredentialName.mirror(try HostName("pypi.example")).description == "mirror-token:pypi.example")
        #expect(try CredentialName.custom("x").description == "custom:x")
        #expect(CredentialName.llm(.openai).provider == .openai)
    }

    @Test(
        "a destination covers its own host, port and paths, and nothing that looks like them",
        arguments: [
            ("git.example", "git.example", 443, "/a/b", true), ("git.example", "git.example", 443, "", true),
            ("git.example", "git.example", 80, "/", false), ("git.example", "git.example", 8443, "/", false),
            ("git.example", "git.example.evil", 443, "/", false), ("git.example", "evil-git.example", 443, "/", false),
            ("git.example", "x.git.example", 443, "/", false), ("git.example", "example", 443, "/", false),
            ("git.example:8443", "git.example", 8443, "/", true), ("git.example:8443", "git.example", 443, "/", false),
            ("git.example/team", "git.example", 443, "/team", true),
            ("git.example/team", "git.example", 443, "/team/x.git", true),
            ("git.example/team/", "git.example", 443, "/team/x.git", true),
            ("git.example/team", "git.example", 443, "/teams", false),
            ("git.example/team", "git.example", 443, "/", false),
            ("git.example/team", "git.example", 443, "/team/../other", false),
            ("git.example/team", "git.example", 443, "/team/%2e%2e/other", false),
            ("git.example/team", "git.example", 443, "/x/../team/y", true),
            ("git.example/team", "git.example", 443, "/team/..%2fother", false),
            ("git.example/team", "git.example", 443, "//team/y", true),
            ("git.example/team", "git.example", 443, "/team\\..\\other", false),
            ("git.example/team", "git.example", 443, "/Team/y", false),
            ("git.example/team", "git.example", 443, "team/y", false),
            ("git.example/team", "git.example", 443, "/%74eam/y?x=/other", true),
        ])
    func covers(written: String, host: String, port: Int, path: String, expected: Bool) throws {
        let destination = try CredentialDestination(written)
        let covered = destination.covers(host: try HostName(host), port: UInt16(port), path: path)
        #expect(covered == expected)
        #expect(try CredentialDestination(destination.description) == destination)
    }

    @Test("a git credential goes to its own host alone; one without a place to go is none")
    func bound() throws {
        let name = try CredentialName("git-token:git.example")
        #expect(throws: AiboxError.self) {
            try Credential(name, destinations: [try CredentialDestination("evil.example")])
        }
        #expect(throws: AiboxError.self) {
            try Credential(name, destinations: [try CredentialDestination("git.example:8443")])
        }
        #expect(throws: AiboxError.self) { try Credential(.custom("x")) }
        #expect(throws: AiboxError.self) { try Credential(.llm(.custom)) }
        for user in ["", "a:b", "a b", "a\nb"] { #expect(throws: AiboxError.self) { try Credential(name, user: user) } }
        let anthropic = try Credential(.llm(.anthropic))
        #expect(
            anthropic.place == .header("x-api-key")
                && anthropic.destinations.map(\.description) == ["api.anthropic.com"])
        #expect(try Credential(.llm(.openai)).place == .bearer)
    }

    @Test(
        "headers that steer a request are no place for a credential",
        arguments: [
            "header:Host", "header:content-length", "header:Transfer-Encoding", "header:authorization", "header:",
            "header:a b",
            "header:x\r\ny", "cookie", "", "BASIC",
        ])
    func places(text: String) {
        #expect(throws: AiboxError.self) { try CredentialPlace(text) }
    }
}
