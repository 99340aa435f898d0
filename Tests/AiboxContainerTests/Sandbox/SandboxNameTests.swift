import AiboxSystem
import Testing

@testable import AiboxContainer

@Suite("Names of sandboxes")
struct SandboxNameTests {
    @Test(
        "names that could be an option, a path or a shell word are refused",
        arguments: [
            "", "-", "--privileged", "../x", "a/b", "a b", "a;b", "$(id)", "A", "ä", "a\n", "a_b", "-a", "a-", "a:b",
            String(repeating: "a", count: 41), "aibox-", "aibox--x",
        ])
    func refused(name: String) {
        let error = #expect(throws: AiboxError.self) { try SandboxName(name) }
        #expect(error?.code == .usage)
    }

    @Test("names that stand", arguments: [("a", "aibox-a"), ("my-app2", "aibox-my-app2"), ("aibox-x", "aibox-x")])
    func accepted(name: String, container: String) throws {
        #expect(try SandboxName(name).container == container)
    }

    @Test(
        "the default name is made of what every name may hold", arguments: ["anna", "Änna Müller", "root", "$(x)", "-"])
    func defaultName(user: String) throws {
        let name = SandboxName(user: user, workspaceDigest: "0123456789abcdef")
        #expect(try SandboxName(name.text) == name)
        #expect(name.text.hasSuffix("-01234567"))
    }
}
