import AiboxContainer
import AiboxEmbedded
import AiboxPolicy
import AiboxSystem

/// The files of the repository that commands hand to the libraries.
enum BuiltIn {
    static func profiles() throws -> SandboxContext.Profiles {
        SandboxContext.Profiles(
            seccomp: try file("configs/seccomp/aibox.json"), appArmor: try file("configs/apparmor/aibox-sandbox"),
            orgBaseline: try file("configs/policy/org-baseline.yaml"), rego: try rego())
    }

    /// The baseline of policies in Rego.
    static func rego() throws -> PolicyModules {
        PolicyModules(
            try EmbeddedFile.paths.filter { $0.hasPrefix("aibox-policies/org/") }.map {
                PolicyModules.Source(name: $0, text: try file($0))
            })
    }

    static func file(_ path: String) throws -> [UInt8] {
        if let bytes = EmbeddedFile.bytes(path) { return bytes }
        throw AiboxError(.failed, "this aibox was built without \(path)", remedy: "build it again: make build")
    }
}
