import AiboxConfig
import Testing

@testable import AiboxContainer

@Suite("Who tells which programs run")
struct TraceRuleTests {
    @Test("gVisor does, and the kernel under crun; nobody under Kata, and nobody under crun of Docker")
    func engines() {
        #expect(TraceRule.missing(.gvisor, .podman) == nil)
        #expect(TraceRule.missing(.gvisor, .docker) == nil)
        #expect(TraceRule.missing(.crun, .podman) == nil)
        #expect(TraceRule.missing(.crun, .docker)?.contains("Docker") == true)
        #expect(TraceRule.missing(.kata, .podman)?.contains("kata") == true)
    }
}
