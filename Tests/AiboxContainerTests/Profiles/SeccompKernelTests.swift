import AiboxSystem
import AiboxTestSupport
import Testing

@testable import AiboxContainer

/// The quick look at the real thing: the compiled filter loaded into a process on this kernel, no container around it.
@Suite("The seccomp profile in this kernel")
struct SeccompKernelTests {
    private func outcomes(filter: [UInt8]?) throws -> [String: String] {
        let folder = try TemporaryFolder()
        let probe = try ProbeProgram()
        var arguments: [String] = []
        if let filter {
            try File.replace(folder.path + "/filter", with: filter, mode: 0o644)
            arguments = ["--filter", folder.path + "/filter"]
        }
        let result = try SystemCommandRunner().run(Command(probe.path, arguments))
        #expect(result.succeeded, "\(result.termination)")
        return probeOutcomes(result.text)
    }

    @Test("every call of the table meets its fate, and without the filter another one")
    func table() throws {
        let program = try SeccompProgram(try embeddedProfile(), for: .native)
        let found = try outcomes(filter: program.instructions)
        let control = try outcomes(filter: nil)
        #expect(found.count == ProbeRow.all.count && control.count == ProbeRow.all.count)
        for row in ProbeRow.all {
            if case .same = row.control {
                #expect(found[row.name] == control[row.name], "\(row.name)")
            } else {
                #expect(found[row.name] == row.kernel, "\(row.name)")
            }
        }
        // Without privileges the kernel itself says EPERM to some; most differ for everybody.
        let differing = ProbeRow.all.filter { found[$0.name] != control[$0.name] }
        #expect(differing.count >= 40, "only \(differing.count) calls reach the kernel without the filter")
    }
}
