import AiboxConfig
import AiboxSystem
import AiboxTestSupport
import AiboxWire
import Glibc
import Testing

@testable import AiboxContainer

/// A daemon of Docker's own for one test, as the user who runs it would have one: no bridge, no rules, nothing of it
/// outside of a folder. Rootless it lives in rootlesskit's user namespace.
final class DockerFixture {
    let folder: String
    let sandbox: SandboxFixture
    private let daemon: ChildProcess
    private static let isRoot = geteuid() == 0

    /// - Parameters:
    ///   - hasImage: false leaves the daemon's storage empty, which saves most of the time.
    ///   - keeping: folders of the image that other tests do without.
    init(
        policy: String? = nil, settings: [String: String] = [:], hasImage: Bool = true, keeping: Set<String> = []
    ) throws {
        folder = try Folder.makeTemporary(prefix: "aibox-docker")
        let host = "unix://\(folder)/d.sock"
        let own = ["AIBOX_RUNTIME": "docker", "DOCKER_HOST": host]
        sandbox = try SandboxFixture(policy: policy, settings: own.merging(settings) { $1 })
        let program = try #require(Path.real(Path.parent(sandbox.aibox.path) + "/aibox-docker-runtime"))
        let requests = sandbox.aibox.home.path + "/state/aibox/docker"
        let registration = DockerRegistration(command: [program, requests], file: "", isRoot: Self.isRoot)
        try File.replace(folder + "/daemon.json", with: registration.text)
        let log = Descriptor(open(folder + "/log", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600))
        let nothing = Descriptor(open("/dev/null", O_RDONLY | O_CLOEXEC))
        daemon = try ChildProcess.start(
            Self.command(folder, host), descriptors: [nothing.number, log.number, log.number])
        for _ in 0..<600 {
            if try docker("version").succeeded { break }
            if try daemon.poll() != nil { break }
            usleep(50_000)
        }
        try #require(try docker("version").succeeded, "dockerd: \((try? File.text(folder + "/log")) ?? "")")
        if hasImage { try loadImage(keeping: keeping) }
    }

    deinit {
        // The sandbox first, while its daemon is there.
        _ = try? sandbox.aibox.run("stop", "--all", "--volumes", "-q")
        daemon.send(SIGTERM)
        for _ in 0..<300 where (try? daemon.poll()) == .some(nil) { usleep(50_000) }
        daemon.send(SIGKILL)
        // What containers wrote belongs to subordinate users.
        let remove = ["rm", "-rf", folder]
        _ = try? SystemCommandRunner().run(
            Self.isRoot ? Command("rm", Array(remove.dropFirst())) : Command("podman", ["unshare"] + remove))
    }

    private static func command(_ folder: String, _ host: String) -> Command {
        let arguments = [
            "--config-file", folder + "/daemon.json", "--data-root", folder + "/data", "--exec-root", folder + "/exec",
            "--pidfile", folder + "/pid", "--host", host, "--bridge=none", "--iptables=false", "--ip6tables=false",
            "--ip-forward=false",
        ]
        let path = (Environment.value("PATH") ?? "") + ":/usr/local/sbin:/usr/sbin:/sbin"
        let environment: [String: String?] = ["PATH": path, "XDG_RUNTIME_DIR": folder]
        if isRoot { return Command("dockerd", arguments, environment: environment) }
        // What dockerd-rootless.sh does, less the network of its own, for which ordinary users need /dev/net/tun.
        return Command(
            "rootlesskit",
            [
                "--state-dir=" + folder + "/kit", "--net=host", "--copy-up=/etc", "--copy-up=/run",
                "--propagation=rslave", "sh", "-c",
                "rm -f /run/docker /run/containerd /run/xtables.lock; exec dockerd --rootless \"$@\"", "sh",
            ] + arguments, environment: environment)
    }

    /// The client of this daemon.
    @discardableResult
    func docker(_ arguments: String...) throws -> CommandResult {
        try SystemCommandRunner().run(
            Command("docker", ["--host", "unix://\(folder)/d.sock"] + arguments), timeout: .seconds(120))
    }

    /// Puts the image that aibox built into the daemon's storage, without compilers and languages: a third of the bytes.
    private func loadImage(keeping: Set<String>) throws {
        let podman = Podman(host: .current)
        let image = try #require(try ImageStore(podman: podman).find(ImageStore.defaultReference))
        let saved = folder + "/saved"
        let save = podman.command([
            "save", "--quiet", "--format", "oci-dir", "--uncompressed", "-o", saved, image.id,
        ])
        try podman.runner.require(save, "cannot save the image", timeout: .seconds(300))
        let blobs = saved + "/blobs/sha256/"
        let layer = folder + "/layer.tar"
        let digest = try Self.reduce(
            blobs + (try #require(image.layers.first)).hexadecimal, to: layer,
            without: Self.spared.filter { !keeping.contains($0) })
        guard case .object(var configuration) = try JSONParser.parse(try File.read(blobs + image.id)) else { return }
        configuration["rootfs"] = ["type": "layers", "diff_ids": [.string(digest.description)]]
        let archive = DockerArchive(
            configuration: .object(configuration), layer: layer, reference: ImageStore.defaultReference)
        let own = sandbox.aibox.home.path
        let paths = Paths(identity: .current, environment: ["XDG_STATE_HOME": own + "/state"])
        let client = try Docker(SystemCommandRunner(), socket: DockerSocket(path: folder + "/d.sock"), paths: paths)
        let loaded = try DockerImages(client).load(archive, exchanging: !Self.isRoot, in: folder)
        #expect(loaded.reference == ImageStore.defaultReference)
        try File.remove(layer)
        try Folder.removeTree(saved)
    }

    private static let spared = ["usr/lib/gcc", "usr/lib/python3", "usr/lib/git-core", "usr/share/", "usr/include/"]

    private static func reduce(_ layer: String, to path: String, without left: [String]) throws -> ImageDigest {
        let reader = TarReader(Descriptor(open(layer, O_RDONLY | O_CLOEXEC)))
        let file = Descriptor(open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600))
        let writer = try TarWriter(file, name: path)
        func isLeft(_ path: String) -> Bool { path.hasSuffix(".a") || left.contains { path.hasPrefix($0) } }
        while let entry = try reader.next() {
            if isLeft(entry.path) { continue }
            if case .hardLink(let target) = entry.kind, isLeft(target) { continue }
            try writer.begin(entry)
            try reader.forEachChunk(writer.append)
            try writer.end(entry)
        }
        return try writer.finish().digest
    }
}
