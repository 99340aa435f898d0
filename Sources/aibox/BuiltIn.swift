import AiboxContainer
import AiboxSystem

/// The files under `configs` that are part of the program.
enum BuiltIn {
    static func profiles() throws -> SandboxContext.Profiles {
        SandboxContext.Profiles(seccomp: try File.read("configs/seccomp/aibox.json"))
    }
}
