public import AiboxSystem

/// A provider of language models, on a port of this machine (Tests/lab/llm.py).
public final class LabProvider: Sendable {
    public let port: UInt16
    private let folder: TemporaryFolder
    private let process: LabProcess

    /// - Parameter program: of `Tests/lab`.
    public init(program: String = "llm.py") throws(AiboxError) {
        folder = try TemporaryFolder(prefix: "aibox-llm")
        process = try LabProcess(
            Command("python3", [Lab.programs + "/" + program, "0", folder.path + "/requests"]), ready: "ready")
        guard let port = UInt16(process.answer) else {
            throw AiboxError(.failed, "the lab's provider did not start", why: "it said \"\(process.answer)\"")
        }
        self.port = port
    }

    /// The requests that came to it.
    public var log: String { (try? File.text(folder.path + "/requests")) ?? "" }
}
