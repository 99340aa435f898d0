import AiboxSystem
import AiboxTestSupport
import Glibc
import Testing

/// An answer that a client in the sandbox reads for as long as it goes on.
final class OpenStream {
    private let child: ChildProcess
    private let folder: TemporaryFolder
    private var ended: Termination?

    /// - Parameter arguments: curl's. Returns once the answer has begun.
    init(_ gateway: LiveGateway, _ arguments: [String]) throws {
        folder = try TemporaryFolder(prefix: "aibox-stream")
        let nothing = Descriptor(open("/dev/null", O_RDWR | O_CLOEXEC))
        child = try ChildProcess.start(
            gateway.inBox("curl", ["-s", "-N", "-m", "100", "-o", folder.path + "/body"] + arguments),
            descriptors: [nothing.number, nothing.number, nothing.number])
        try #require(eventually { !bytes.isEmpty })
    }

    deinit {
        if end != nil { return }
        child.send(SIGKILL)
        _ = try? child.wait()
    }

    /// What came until now.
    var bytes: [UInt8] { (try? File.read(folder.path + "/body")) ?? [] }
    var text: String { String(decoding: bytes, as: UTF8.self) }

    /// How curl ended: 18 where the answer was broken off; nil: it reads on.
    var end: Termination? {
        if ended == nil { ended = (try? child.poll()) ?? nil }
        return ended
    }
}
