import AiboxSystem
import CLinux
import Glibc

/// Where Docker's daemon listens, and which process that is.
struct DockerSocket: Sendable, Equatable {
    let path: String

    /// The one that the docker client would use: `DOCKER_HOST`, else its current context.
    static func current(_ runner: any CommandRunner) throws(AiboxError) -> DockerSocket {
        var host = Environment.value("DOCKER_HOST") ?? ""
        if host.isEmpty {
            let format = "{{.Endpoints.docker.Host}}"
            let result = try runner.run(
                Command("docker", ["context", "inspect", "--format", format]), timeout: .seconds(10))
            if !result.succeeded { throw Docker.failure("cannot find Docker's daemon", result) }
            host = result.text
        }
        return try DockerSocket(host: host)
    }

    /// - Throws: for a daemon of another machine, where no sandbox could reach its gateway.
    init(host: String) throws(AiboxError) {
        guard host.hasPrefix("unix:///") else {
            throw AiboxError(
                .usage, "aibox cannot use the Docker daemon at \(SafeText.escaped(host))",
                why: "it has to be on this machine", remedy: "unset DOCKER_HOST, or: docker context use rootless")
        }
        path = String(host.dropFirst("unix://".count))
    }

    init(path: String) { self.path = path }

    /// The process that listens there.
    ///
    /// - Throws: if there is none, or if an ordinary user would use a daemon of another: to talk to root's is to be root.
    func daemon(isRoot: Bool) throws(AiboxError) -> Int32 {
        guard
            let socket = try UnixSocket.connect(
                folder: Path.parent(path), name: Path.name(path), timeout: .seconds(5))
        else {
            throw AiboxError(
                .layerMissing, "cannot reach Docker's daemon", why: "nothing listens at \(path)",
                remedy: isRoot ? "systemctl start docker" : "systemctl --user start docker")
        }
        var (pid, uid, gid): (pid_t, uid_t, gid_t) = (0, 0, 0)
        if aibox_peer_credentials(socket.number, &pid, &uid, &gid) != 0 {
            throw .system("cannot tell who listens at \(path)", errno: errno)
        }
        guard uid == geteuid(), pid > 0 else {
            throw AiboxError(
                .layerMissing, "aibox cannot use the Docker daemon at \(path)",
                why: uid == 0 ? "it is root's, and who talks to it is root" : "it is the user \(uid)'s",
                remedy: "dockerd-rootless-setuptool.sh install   (a daemon of your own), or run aibox as root")
        }
        return pid
    }
}
