import AiboxSystem
import AiboxTestSupport
import Glibc
import Testing

@Suite("Gateway of an ordinary user")
struct OrdinaryUserTests {
    /// The live suites test the form of whoever runs them. Run as root they test the rootful one, so here they run once more,
    /// as an account made for it; run as an ordinary user they have tested the rootless one already.
    @Test("all of it holds for an ordinary user with rootless podman")
    func rootless() throws {
        guard geteuid() == 0 else { return }
        let user = try OrdinaryUser()
        let own = try #require(Path.real("/proc/self/exe"))
        // The build folder may lie where another user cannot go.
        let folder = try TemporaryFolder(prefix: "aibox-rootless")
        chmod(folder.path, 0o755)
        for program in [own] + ["aibox", "aibox-gateway", "aibox-llm-proxy"].map({ Path.parent(own) + "/" + $0 }) {
            let copy = folder.path + "/" + Path.name(program)
            try SystemCommandRunner().require(Command("cp", [program, copy]), "cannot copy \(program)")
            chmod(copy, 0o755)
        }
        try SystemCommandRunner().require(
            Command("cp", ["-r", Lab.programs, folder.path + "/lab"]), "cannot copy the lab's programs")
        let suites =
            "GatewayLifeTests|GatewayForwardTests|GatewayIsolationTests|GatewayControlTests|PodmanJoinTests"
            + "|GatewayDriftTests|LockDownTests|PortForwardsTests|GatewayEgressTests|GatewayMetricsTests|GatewayNotifyTests"
        let result = try SystemCommandRunner().run(
            user.command(
                folder.path + "/" + Path.name(own), ["--testing-library", "swift-testing", "--filter", suites]),
            timeout: .seconds(900))
        let words = (result.text + result.errorText).split(separator: "\n")
        let succeeded = result.succeeded
        #expect(
            succeeded,
            "\(words.filter { $0.contains("✘") || $0.contains("Expectation") }.joined(separator: "\n"))")
        // A filter that matches nothing passes too.
        let summary = words.last { $0.contains("Test run with") } ?? ""
        let count = summary.split(separator: " ").compactMap { Int($0) }.first ?? 0
        #expect(count >= 40 && summary.contains("passed"), "\(summary)")
    }
}
