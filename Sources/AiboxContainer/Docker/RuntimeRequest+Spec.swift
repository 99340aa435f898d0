import AiboxSystem
import AiboxWire
import Glibc

extension RuntimeRequest {
    /// What `DockerCreate` cannot say of a sandbox.
    init(_ spec: SandboxSpec, profile: SeccompProfile, files: DockerRequests) throws(AiboxError) {
        self.init(
            container: spec.name.container, runtime: spec.engine.runtimeWords,
            networkNamespace: spec.networkNamespace, networkIdentity: try Self.identity(spec.networkNamespace),
            mapsCaller: spec.userMapping == .keepID, plainMounts: ["/workspace"] + spec.volumes.map(\.target),
            seccompErrno: profile.spoken(spec.engine.seccompDialect).defaultAction.ociErrno,
            files: spec.secrets.map { File(source: files.file($0.name), target: $0.target) })
    }

    /// `device:inode` of a namespace: the same for every process in it, and for no other namespace while it lives.
    static func identity(_ namespace: String) throws(AiboxError) -> String {
        var facts = stat()
        if stat(namespace, &facts) != 0 { throw .system("cannot look at \(namespace)", errno: errno) }
        return "\(facts.st_dev):\(facts.st_ino)"
    }
}

extension SandboxSpec.Engine {
    /// The runtime as an argv begins.
    var runtimeWords: [String] {
        switch self {
        case .gvisor(let runtime, let platform): [runtime, "--platform=\(platform.rawValue)"]
        case .crun(let path), .kata(let path): [path]
        }
    }
}
