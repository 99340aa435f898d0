import Testing

@testable import AiboxContainer

@Suite("aibox's block in ~/.ssh/config")
struct SSHManagedBlockTests {
    private let hosts = "Host aibox-demo\n    Port 2222\n"

    @Test(
        "everything outside the block is kept byte for byte",
        arguments: ["", "Host a\n  Port 1\n", "# no newline at the end", "\n\n\tHost *\r\n"])
    func kept(file: String) {
        let with = SSHManagedBlock.replaced(in: file, with: hosts)
        #expect(with.hasSuffix(file))
        #expect(with.contains(hosts))
        #expect(SSHManagedBlock.replaced(in: with, with: hosts) == with)
        #expect(SSHManagedBlock.replaced(in: with, with: "") == file)
    }

    @Test("options that follow stay global")
    func global() {
        let with = SSHManagedBlock.replaced(in: "ServerAliveInterval 5\n", with: hosts)
        #expect(with.contains("Match all\n" + SSHManagedBlock.end + "\nServerAliveInterval 5\n"))
    }

    @Test("a block whose end somebody removed is left alone, and nothing is lost")
    func halfBlock() {
        let file = "Host a\n" + SSHManagedBlock.begin + "\nHost b\nHost mine\n"
        #expect(SSHManagedBlock.replaced(in: file, with: "") == file)
        #expect(SSHManagedBlock.replaced(in: file, with: hosts).contains("Host mine"))
    }
}
