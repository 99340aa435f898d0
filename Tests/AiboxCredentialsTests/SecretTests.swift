import AiboxCredentials
import AiboxSystem
import FoundationEssentials
import Testing

@Suite("Secrets do not show themselves")
struct SecretTests {
    private static let canary = "canary-5f1d7c0a"

    @Test("nothing that prints, dumps, mirrors or encodes gets the value")
    func masked() throws {
        let secret = try Secret(Self.canary)
        let stored = StoredCredential(try Credential(try CredentialName("git-token:github.com")), secret)
        var texts = [
            "\(secret)", String(describing: secret), String(reflecting: secret), "\(stored)",
            "\(Optional(secret) as Any)",
            String(reflecting: [secret]), "\(Mirror(reflecting: stored).children.map { "\($0)" })",
            String(decoding: try JSONEncoder().encode(["key": secret]), as: UTF8.self),
        ]
        var dumped = ""
        dump(stored, to: &dumped)
        dump(secret, to: &dumped)
        texts.append(dumped)
        for text in texts { #expect(!text.contains(Self.canary) && !text.contains("5f1d"), "\(text)") }
        #expect(secret.text == Self.canary && secret.bytes == Array(Self.canary.utf8))
        #expect(secret.withBytes { $0.count } == secret.count)
    }

    @Test(
        "what cannot stand in a header is refused, and the words do not repeat it",
        arguments: [
            ("empty", ""), ("a line break", "canary\nx"), ("a carriage return", "canary\r"), ("a zero", "canary\0"),
            ("an escape", "\u{1b}canary"), ("a space before", " canary"), ("a space after", "canary "),
            ("delete", "canary\u{7f}"), ("too long", String(repeating: "canary", count: 11_000)),
        ])
    func refused(name: String, value: String) throws {
        let error = try #require(throws: AiboxError.self) { try Secret(value) }
        #expect(error.code == .usage && !error.description.contains("canary"), "\(name): \(error)")
    }

    @Test(
        "what can is taken",
        arguments: ["x", "two words", "pässwörd", "a:b/c?d=e&f", String(repeating: "k", count: 65_536)])
    func taken(value: String) throws {
        #expect(try Secret(value).text == value)
        #expect(try Secret(value) == Secret(value))
        #expect(try Secret(value) != Secret(value.dropLast() + "-"))
    }
}
