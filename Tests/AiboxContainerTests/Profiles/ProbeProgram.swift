import AiboxSystem
import AiboxTestSupport

/// Probe/probe.c, compiled; gone with the last reference.
final class ProbeProgram: Sendable {
    private let folder: TemporaryFolder

    var path: String { folder.path + "/probe" }

    init() throws(AiboxError) {
        folder = try TemporaryFolder(prefix: "aibox-probe")
        let source = Path.parent(#filePath) + "/Probe/probe.c"
        try SystemCommandRunner().require(
            Command("cc", ["-O1", "-static", "-o", folder.path + "/probe", source]), "cannot compile \(source)",
            remedy: "sudo apt-get install gcc libc6-dev")
    }
}
