import AiboxBroker
import AiboxSystem
import AiboxTestSupport
import AiboxWire
import Glibc
import Synchronization
import Testing

/// The program itself, as its gateway starts it, with a gateway of the lab: whatever it asks is permitted, and it gets the
/// plan that there is when it asks for one.
final class ProxyProgram: Sendable {
    let port: UInt16
    let process: ChildProcess
    private let folder: TemporaryFolder
    private let control: PacketSocket
    private let plan: Mutex<BrokerPlan>
    private let heard = Mutex<[LLMProxyReport]>([])

    init(_ plan: BrokerPlan) throws {
        self.plan = Mutex(plan)
        folder = try TemporaryFolder(prefix: "aibox-proxy")
        let (listener, port) = try Loopback.listen()
        self.port = port
        let program = try #require(Path.real("/proc/self/exe").map { Path.parent($0) + "/aibox-llm-proxy" })
        let (ours, theirs) = try PacketSocket.pair()
        control = ours
        let nothing = Descriptor(open("/dev/null", O_RDWR | O_CLOEXEC))
        let log = Descriptor(open(folder.path + "/log", O_WRONLY | O_CREAT | O_CLOEXEC, 0o600))
        process = try ChildProcess.start(
            Command(program, ["serve"], environment: ["LC_ALL": "C"], directory: "/"),
            descriptors: [nothing.number, log.number, log.number, theirs.descriptor.number, listener.number],
            deathSignal: SIGKILL)
        theirs.descriptor.close()
        try control.send(
            LLMProxyOrder.begin(
                LLMProxySettings(
                    sandbox: "lab", user: "lab",
                    audit: .init(folder: folder.path + "/audit", checkpoints: folder.path + "/points", session: "lab"),
                    authorities: ["llm.test:\(port)"], plan: plan)
            ).json.bytes)
        try DedicatedThread.start("of the gateway") { [weak self, control] in
            while let bytes = try? control.receive(limit: 16 << 10), let json = try? JSONParser.parse(bytes),
                let report = try? LLMProxyReport(json: json)
            {
                self?.hear(report)
            }
        }
        try #require(eventually { self.count(.serving) == 1 })
    }

    deinit {
        process.send(SIGKILL)
        _ = try? process.wait()
        shutdown(control.descriptor.number, Int32(SHUT_RDWR))
    }

    private func hear(_ report: LLMProxyReport) {
        heard.withLock { $0.append(report) }
        switch report {
        case .ask(let number, _): try? control.send(LLMProxyOrder.answer(number, .allowed).json.bytes)
        case .reload: try? control.send(LLMProxyOrder.plan(plan.withLock { $0 }).json.bytes)
        case .serving, .failed, .spent, .misused: break
        }
    }

    /// How often it said that.
    func count(_ report: LLMProxyReport) -> Int { heard.withLock { $0.count { $0 == report } } }

    /// The plan that it gets when it asks the next time.
    func change(_ body: (inout BrokerPlan) -> Void) { plan.withLock { body(&$0) } }

    var log: String { (try? File.text(folder.path + "/log")) ?? "" }

    func client() throws -> RawClient { RawClient(try Loopback.connect(port), port: port) }

    func ask(_ model: String) throws -> Int {
        let client = try client()
        client.ask("/v1/messages", key: "x-api-key: \(LiveProxy.anthropic)", body: #"{"model":"\#(model)"}"#)
        return try #require(client.answer()).status
    }
}
