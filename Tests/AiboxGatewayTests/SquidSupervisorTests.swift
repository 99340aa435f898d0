import AiboxCrypto
import AiboxNetwork
import AiboxSystem
import AiboxTestSupport
import Dispatch
import Glibc
import Synchronization
import Testing

@testable import AiboxGateway

@Suite("Squid's supervisor")
struct SquidSupervisorTests {
    @Test("what Squid had finished is told though it is ended before anybody read it; the gateway's own request is not")
    func lastLines() throws {
        let place = try TemporaryFolder(prefix: "aibox-squid")
        let told = Mutex<[String]>([])
        let (isBusy, mayGoOn) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
        let supervisor = try SquidSupervisor(
            folder: try SquidFolder.make(runFolder: place.path),
            surroundings: .init(targets: TargetPolicy(), judge: .init(port: 1, secret: "nobody")),
            authority: try CertificateAuthority.make(name: "test", days: 1),
            log: GatewayLog(limit: .max), changed: { _, _ in },
            spoke: { line in
                let isFirst = told.withLock { told in
                    told.append(line.url ?? "-")
                    return told.count == 1
                }
                // The supervisor's thread reads nothing until the requests behind this one have ended too.
                guard isFirst else { return }
                isBusy.signal()
                mayGoOn.wait()
            })
        let installed = Mutex<SquidProcess?>(nil)
        let isInstalled = DispatchSemaphore(value: 0)
        let list = try AllowList([AllowRuleSource(id: "a", hosts: ["allowed.test"], ports: [80], schemes: ["http"])])
        supervisor.install(list) { result in
            installed.withLock { $0 = (try? result.get()).flatMap { $0 } }
            isInstalled.signal()
        }
        isInstalled.wait()
        let squid = try #require(installed.withLock { $0 })
        // The gateway's own URL, from a port that is not the gateway's, is anybody's.
        let urls = ["http://squid-probe.aibox.internal/"] + (1...20).map { "http://denied.test/\($0)" }
        for (index, url) in urls.enumerated() {
            let status = try SystemCommandRunner().run(
                Command(
                    "curl",
                    [
                        "-sS", "-m", "20", "-o", "/dev/null", "-w", "%{http_code}", "-x",
                        "http://127.0.0.1:\(squid.port)",
                        "-H", "\(SquidConfiguration.keyHeader): \(supervisor.key)", url,
                    ])
            ).text
            #expect(status == "403")
            if index == 0 { #expect(isBusy.wait(timeout: .now() + 20) == .success) }
        }
        // The end is asked for, then the thread goes on.
        DispatchQueue.global().asyncAfter(deadline: .now() + 0.2) { mayGoOn.signal() }
        supervisor.end()
        #expect(told.withLock { $0 } == urls)
    }
}
