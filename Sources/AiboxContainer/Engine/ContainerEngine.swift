import AiboxConfig
import AiboxSystem
import Glibc

/// The program that keeps a sandbox's container, volumes and image: what differs between podman and docker.
enum ContainerEngine: Sendable {
    case podman(Podman)
    case docker(Docker)

    /// What makes the container of that spec.
    static func arguments(_ runtime: Configuration.ContainerRuntime, _ spec: SandboxSpec) -> [String] {
        switch runtime {
        case .podman: PodmanRun(spec).arguments
        case .docker: DockerCreate(spec).arguments
        }
    }

    /// How `status` and `list` name an isolation under this engine.
    func label(_ engine: SandboxSpec.Engine) -> String {
        switch self {
        case .podman: engine.label
        case .docker: engine.label + " (docker)"
        }
    }

    func volumes(prefix: String) throws(AiboxError) -> [String] {
        switch self {
        case .podman(let podman): try podman.volumes(prefix: prefix)
        case .docker(let docker): try docker.volumes(prefix: prefix)
        }
    }

    func removeVolume(_ name: String) throws(AiboxError) {
        switch self {
        case .podman(let podman): try podman.removeVolume(name)
        case .docker(let docker): try docker.removeVolume(name)
        }
    }

    func secrets(prefix: String) throws(AiboxError) -> [String] {
        switch self {
        case .podman(let podman): try podman.secrets(prefix: prefix)
        case .docker(let docker): try docker.requests.fileNames(prefix: prefix)
        }
    }

    func removeSecrets(_ names: [String]) throws(AiboxError) {
        switch self {
        case .podman(let podman): try podman.removeSecrets(names)
        case .docker(let docker): for name in names { try docker.requests.removeFile(name) }
        }
    }

    func builtImages() throws(AiboxError) -> [StoredImage] {
        switch self {
        case .podman(let podman): try ImageStore(podman: podman).built()
        case .docker(let docker): try DockerImages(docker).built()
        }
    }

    func removeImage(_ id: String) throws(AiboxError) {
        switch self {
        case .podman(let podman): try podman.removeImage(id)
        case .docker(let docker): try docker.require(["image", "rm", "--force", id], "cannot remove the image \(id)")
        }
    }

    /// A text file of an image.
    func file(_ path: String, of image: String) throws(AiboxError) -> String? {
        switch self {
        case .podman(let podman): try podman.file(path, of: image)
        case .docker(let docker): try DockerImages(docker).file(path, of: image)
        }
    }

    /// Shows what the container wrote.
    func logs(_ container: String, follow: Bool) -> Command {
        let arguments = ["logs", "--timestamps"] + (follow ? ["--follow"] : []) + [container]
        return switch self {
        case .podman(let podman): podman.command(arguments)
        case .docker(let docker): docker.command(arguments)
        }
    }
}

extension SandboxContext {
    /// The engine of the settings.
    func configuredEngine() throws(AiboxError) -> ContainerEngine {
        switch configuration.runtime {
        case .podman: return .podman(podman)
        case .docker:
            return .docker(try .current(runner, paths: paths))
        }
    }

    /// The engine under which a sandbox was started, whatever the settings say now.
    func engine(of name: SandboxName) throws(AiboxError) -> ContainerEngine {
        let note = try dockerNote(name)
        guard File.exists(note) else { return .podman(podman) }
        return .docker(
            try Docker(runner, socket: DockerSocket(path: try File.text(note, limit: 4096)), paths: paths))
    }

    /// Names the daemon that has the sandbox's container; there before the record is and until it is gone.
    func dockerNote(_ name: SandboxName) throws(AiboxError) -> String {
        try paths.sandboxState(name.text) + "/docker-socket"
    }
}
