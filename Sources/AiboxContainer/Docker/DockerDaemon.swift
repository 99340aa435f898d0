import AiboxSystem
import AiboxWire

/// What Docker's daemon says of itself (`docker info`), and whether sandboxes can be its.
struct DockerDaemon: Sendable, Equatable {
    var version: String
    var isRootless: Bool
    /// It maps users itself (userns-remap), other than aibox does.
    var remapsUsers: Bool
    /// Program and arguments of the runtime `aibox`; nil if it knows none of that name.
    var runtime: [String]?

    init(info: JSONValue) throws(AiboxError) {
        guard let version = info["ServerVersion"]?.stringValue, let options = info["SecurityOptions"]?.elements else {
            let said = info["ServerErrors"]?.elements?.first?.stringValue
            throw AiboxError(
                .layerMissing, "Docker's daemon does not answer", why: said.map { SafeText.escaped($0) },
                remedy: "docker info shows what is wrong")
        }
        self.version = version
        let names = options.compactMap(\.stringValue).flatMap { $0.split(separator: ",").map(String.init) }
        isRootless = names.contains("name=rootless")
        remapsUsers = names.contains("name=userns")
        runtime = info["Runtimes"]?[DockerCreate.runtime].map { entry in
            [entry["path"]?.stringValue ?? ""] + (entry["runtimeArgs"]?.elements ?? []).compactMap(\.stringValue)
        }
    }

    /// - Throws: `layerMissing` with what has to be changed.
    func require(_ registration: DockerRegistration, isRoot: Bool) throws(AiboxError) {
        if isRootless == isRoot {
            throw AiboxError(
                .layerMissing, "this Docker daemon is not for this user",
                why: isRoot ? "it is rootless, and this is root" : "it is root's, and who talks to it is root",
                remedy: isRoot ? "unset DOCKER_HOST" : "dockerd-rootless-setuptool.sh install")
        }
        if remapsUsers {
            throw AiboxError(
                .layerMissing, "aibox cannot use this Docker daemon", why: "it maps users itself (userns-remap)",
                remedy: "take userns-remap out of its settings; a rootless daemon does the same better")
        }
        if runtime == registration.command { return }
        throw AiboxError(
            .layerMissing, "Docker does not know aibox's runtime",
            why: runtime.map { "it has another one of that name: \(SafeText.escaped($0.joined(separator: " ")))" },
            remedy: registration.remedy)
    }
}
