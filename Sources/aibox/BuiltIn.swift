import AiboxContainer
import AiboxEmbedded
import AiboxSystem

/// The files under `configs` that are part of the program.
enum BuiltIn {
    static func profiles() throws -> SandboxContext.Profiles {
        let path = "configs/seccomp/aibox.json"
        guard let seccomp = EmbeddedFile.bytes(path) else {
            throw AiboxError(.integrity, "\(path) is missing from the program", remedy: "install aibox again")
        }
        return SandboxContext.Profiles(seccomp: seccomp)
    }
}
