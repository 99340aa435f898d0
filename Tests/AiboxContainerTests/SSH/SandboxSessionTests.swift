import AiboxSystem
import AiboxTestSupport
import Testing

@testable import AiboxContainer

@Suite("Words on their way into the sandbox")
struct SandboxSessionTests {
    @Test("what is encoded holds nothing that a shell or ssh could read")
    func alphabet() {
        let every = String(decoding: (1...255).map { UInt8($0) }, as: UTF8.self)
        let text = SandboxSession.encode([every, "", "a,b"])
        #expect(
            text.utf8.allSatisfy {
                "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/.-_,\\".utf8.contains($0)
            })
    }

    @Test("the script gives back exactly the words", arguments: 0..<50)
    func roundTrip(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let words = (0..<Int.random(in: 1...6, using: &generator)).map { _ in
            String(
                decoding: (0..<Int.random(in: 0...12, using: &generator)).map { _ in
                    UInt8.random(in: 1...126, using: &generator)
                }, as: UTF8.self)
        }
        let folder = try Folder.makeTemporary(prefix: "aibox-argv")
        defer { try? Folder.removeTree(folder) }
        try File.replace(folder + "/run", with: SandboxSession.script)
        let result = try SystemCommandRunner().run(
            Command(
                "bash", [folder + "/run"],
                environment: [
                    "AIBOX_ARGV": SandboxSession.encode(["printf", "%s\\0"] + words),
                    "AIBOX_FOLDER": SandboxSession.encodeWord(folder),
                ]))
        let back = result.output.split(separator: 0, omittingEmptySubsequences: false).dropLast().map {
            String(decoding: $0, as: UTF8.self)
        }
        #expect(back == words, "\(result.errorText)")
    }

}
