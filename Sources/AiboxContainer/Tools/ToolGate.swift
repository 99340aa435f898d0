import AiboxConfig
import AiboxCrypto
import AiboxPolicy
import AiboxSystem
import AiboxWire
import Glibc

/// The gate for tools in one sandbox: what is mounted where, and what the gateway is told of it.
struct ToolGate: Sendable, Equatable {
    let programs: [ToolPlan.Program]
    let mounts: [SandboxSpec.ToolMount]

    /// Where the originals lie inside: a folder that cannot be listed.
    static let folder = "/run/aibox/tools"
    /// Where it stands as the hook of agents.
    static let hook = "/run/aibox/agent-hook"
    /// Mounts for it at most: the files in whose place it stands, and originals that lie beside others. With 250 gVisor starts no
    /// container any more; up to 128 cost nothing that can be measured.
    static let limit = 128
}

/// Finds out where the gate has to stand in an image, once for each image and each set of rules, and keeps what it has to
/// run in the end.
struct ToolGateSetup {
    let context: SandboxContext
    let policy: EffectivePolicy
    let image: StoredImage

    /// - Returns: nil where no rule asks for a gate.
    func gate() throws(AiboxError) -> ToolGate? {
        if !Self.isNeeded(policy) { return nil }
        let gate = try GatewayExecutable.find("aibox-tool-gate")
        let hook = SandboxSpec.ToolMount(source: gate, target: ToolGate.hook)
        if !ToolCoverage.isNeeded(policy) { return ToolGate(programs: [], mounts: [hook]) }
        let before = try known()
        let kept = if let before { before } else { try makeAlone() }
        if kept.isEmpty { return ToolGate(programs: [], mounts: [hook]) }
        var mounts = kept.flatMap { program in program.paths.map { SandboxSpec.ToolMount(source: gate, target: $0) } }
        let originals = kept.compactMap(\.original)
        if originals.contains(where: { $0.hasPrefix(ToolGate.folder + "/") }) {
            mounts.append(.init(source: try folder, target: ToolGate.folder))
        }
        for path in originals where !path.hasPrefix(ToolGate.folder + "/") {
            mounts.append(.init(source: try folder + "/" + Self.copied(path), target: path))
        }
        try check(count: mounts.count)
        return ToolGate(programs: kept, mounts: mounts + [hook])
    }

    /// Whether rules speak of programs that have to be asked about, or of tools that agents have.
    static func isNeeded(_ policy: EffectivePolicy) -> Bool {
        ToolCoverage.isNeeded(policy) || policy["mcp.servers"]?.elements.isEmpty == false
    }

    /// The version of what is kept.
    private static let version = "3"

    private var folder: String {
        get throws(AiboxError) {
            let key = [Self.version, image.id, ToolCoverage.words(policy)].joined(separator: "\n")
            return context.paths.stateFolder + "/tools/" + String(try SHA256.digest(key).hex.prefix(32))
        }
    }

    /// What an earlier start found, if all of it is still there.
    private func known() throws(AiboxError) -> [ToolPlan.Program]? {
        let file = try folder + ".json"
        guard File.exists(file), let json = try? JSONParser.parse(try File.read(file, limit: 1 << 20)),
            let programs = try? json.elements?.map({ try ToolPlan.Program(json: $0) })
        else { return nil }
        let folder = try folder
        let isThere = programs.allSatisfy { program in
            program.original.map { File.exists(folder + "/" + Self.copied($0)) } ?? true
        }
        return isThere ? programs : nil
    }

    /// One start makes it, others wait for it.
    private func makeAlone() throws(AiboxError) -> [ToolPlan.Program] {
        let folder = try folder
        try Folder.makePrivate(Path.parent(folder))
        for _ in 0..<1200 {
            guard let lock = try FileLock.take(folder + ".lock") else {
                usleep(100_000)
                continue
            }
            defer { lock.release() }
            if let programs = try known() { return programs }
            return try make()
        }
        throw AiboxError(.failed, "another start does not finish looking into the image", why: "\(folder).lock is held")
    }

    private func make() throws(AiboxError) -> [ToolPlan.Program] {
        let listing = try context.engine.list(image.id, ToolSurvey.search)
        let survey = ToolSurvey(listing, named: ToolCoverage.paths(policy))
        var files = survey.files.compactMap(Self.fixed)
        for place in files.indices { files[place].applets = applets(of: files[place]) }
        let coverage = ToolCoverage(policy, files: files)
        try check(coverage)
        let folder = try folder
        let work = try prepare(folder)
        var names: [String: String] = [:]
        for program in coverage.programs where program.canRun {
            if let path = program.file.paths.first { names[path] = Hex.encode(try SecureRandom.bytes(16)) }
        }
        try context.engine.copy(names.mapValues { work + "/" + $0 }, of: image.id)
        var programs: [ToolPlan.Program] = []
        for program in coverage.programs {
            var original: String?
            if let path = program.file.paths.first, let name = names[path] {
                original = try place(of: path, work + "/" + name, name)
            }
            programs.append(
                ToolPlan.Program(
                    paths: program.file.paths, names: program.names, isMultiCall: program.isMultiCall,
                    applets: program.applets, original: original))
        }
        try retrying("cannot close \(work)") { chmod(work, 0o111) }
        try retrying("cannot keep \(folder)") { rename(work, folder) }
        try File.replace(folder + ".json", with: JSONValue.array(programs.map(\.json)).bytes)
        return programs
    }

    /// Without its names in places that are the sandbox's own to write, where nothing can be held.
    private static func fixed(_ file: ToolFile) -> ToolFile? {
        let places = ["/workspace", "/tmp", "/var/tmp", "/run", "/dev", "/proc", "/sys", CacheVolumes.home]
        func isFixed(_ path: String) -> Bool { !places.contains { Path.isInside(path, $0) } }
        let paths = file.paths.filter(isFixed)
        return paths.isEmpty ? nil : ToolFile(paths: paths, aliases: file.aliases.filter(isFixed))
    }

    /// The names of the programs that are many in one file, as it tells them in the image. If it does not, it may have all that
    /// rules name.
    private func applets(of file: ToolFile) -> [String] {
        guard let path = file.paths.first(where: MultiCall.isOne), let words = MultiCall.listing(path) else {
            return []
        }
        let said = try? context.engine.ask(image.id, path, words)
        let names = MultiCall.applets(in: said ?? "")
        return names.isEmpty ? ToolCoverage.programs(policy) : names
    }

    private func check(_ coverage: ToolCoverage) throws(AiboxError) {
        for program in coverage.programs {
            guard let found = ToolCoverage.impossible(policy, program) else { continue }
            throw AiboxError(
                .layerMissing, "the gate for tools cannot stand in the place of \(SafeText.escaped(found.name))",
                why: SafeText.escaped(found.why),
                remedy: "name the programs that are meant, or ask who owns the policy")
        }
        try check(count: coverage.programs.reduce(0) { $0 + $1.file.paths.count })
    }

    private func check(count: Int) throws(AiboxError) {
        if count <= ToolGate.limit { return }
        throw AiboxError(
            .layerMissing, "the rules about tools name too many programs of the image",
            why: "\(count) mounts would be needed, and there are \(ToolGate.limit) at most",
            remedy: "name the programs that are meant, or ask who owns the policy")
    }

    /// An empty folder beside the one that is to be, which goes if it is there.
    private func prepare(_ folder: String) throws(AiboxError) -> String {
        if File.exists(folder) { try Folder.removeTree(folder) }
        return try Folder.makeTemporary(prefix: "new", in: Path.parent(folder))
    }

    /// - Returns: where the copy of a program is to be seen inside.
    private func place(of path: String, _ file: String, _ name: String) throws(AiboxError) -> String {
        try retrying("cannot close \(file)") { chmod(file, 0o555) }
        return Self.looksAround(try File.read(file, limit: 1 << 30))
            ? (Path.parent(path) == "/" ? "" : Path.parent(path)) + "/." + name : ToolGate.folder + "/" + name
    }

    /// The name of the copy of which an original is made: beside others of its folder an original is hidden.
    private static func copied(_ original: String) -> String {
        let name = Path.name(original)
        return name.hasPrefix(".") ? String(name.dropFirst()) : name
    }

    /// Whether a program looks for its parts where it lies itself: scripts, and what its loader finds beside it
    /// (ld.so(8), "$ORIGIN").
    private static func looksAround(_ bytes: [UInt8]) -> Bool {
        bytes.starts(with: "#!".utf8) || bytes.firstRange(of: Array("$ORIGIN".utf8)) != nil
    }
}

extension ContainerEngine {
    /// What `find` says in an image, in which it may look everywhere.
    func list(_ image: String, _ search: [String]) throws(AiboxError) -> [UInt8] {
        let limits = ["--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024"]
        let words =
            [
                "run", "--rm", "--pull", "never", "--network", "none", "--cap-drop", "ALL", "--cap-add", "DAC_OVERRIDE",
                "--user", "0:0",
            ] + limits
            + ["--read-only", "--entrypoint", "find", image] + search
        let result = try call(words)
        // A part of a listing would leave programs without their gate.
        if result.succeeded, !result.output.isEmpty { return result.output }
        throw AiboxError(
            .layerMissing, "cannot find out which programs the image has", why: SafeText.escaped(result.errorText),
            remedy: "rules about tools need find (Debian: findutils) in the image")
    }

    /// What a program of an image says, which has nothing there but the image; nil where it does not run.
    func ask(_ image: String, _ program: String, _ arguments: [String]) throws(AiboxError) -> String? {
        let words = ["run", "--rm", "--pull", "never", "--network", "none", "--cap-drop", "ALL", "--user", "1000:1000"]
        let limits = ["--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024"]
        let result = try call(words + limits + ["--read-only", "--entrypoint", program, image] + arguments)
        return result.succeeded ? result.text : nil
    }

    /// Copies files out of an image, each to a place; nothing of the image is run for it.
    func copy(_ files: [String: String], of image: String) throws(AiboxError) {
        if files.isEmpty { return }
        let made = try call(["create", "--pull", "never", "--network", "none", image, "true"])
        let container = String(made.text.split(separator: "\n").last ?? "")
        defer { _ = try? call(["rm", "--force", container]) }
        for (path, file) in files {
            let copied = try call(["cp", "\(container):\(path)", file])
            if copied.succeeded, File.exists(file) { continue }
            throw AiboxError(
                .failed, "cannot copy \(SafeText.escaped(path)) out of the image",
                why: SafeText.escaped(copied.errorText))
        }
    }

    private func call(_ arguments: [String]) throws(AiboxError) -> CommandResult {
        switch self {
        case .podman(let podman): try podman.run(arguments)
        case .docker(let docker): try docker.run(arguments)
        }
    }
}
