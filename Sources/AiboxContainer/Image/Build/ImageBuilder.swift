public import AiboxConfig
public import AiboxSystem
import Glibc

/// Builds an image from its recipe and puts it into the storage of podman or Docker.
public struct ImageBuilder: Sendable {
    let runner: any CommandRunner
    let store: ImageStore
    let paths: Paths
    let progress: @Sendable (String) -> Void

    /// - Parameter progress: told each step, in words for a person.
    public init(store: ImageStore, paths: Paths, progress: @escaping @Sendable (String) -> Void = { _ in }) {
        runner = store.podman.runner
        self.store = store
        self.paths = paths
        self.progress = progress
    }

    /// - Parameters:
    ///   - locks: the recipe's locks by identity (`bookworm-amd64`).
    ///   - isStrict: a version that differs from the lock, or no lock, is an error instead of a note.
    public func build(
        _ recipe: ImageRecipe, locks: [String: PackageLock], isStrict: Bool = false
    ) throws(AiboxError) -> BuiltImage {
        try Self.checkKeyrings(recipe)
        try BuildPreflight.ofThisMachine(folder: BuildFolder.base, engine: store.docker == nil ? .podman : .docker)
            .check()
        let folder = try BuildFolder(base: BuildFolder.base, runner)
        defer { folder.remove(runner) }
        let archive = try DistributionArchive.ofThisMachine(runner)
        let lock = locks[archive.identity]
        progress("looking at the archive of \(archive.codename)")
        let plan = try plan(recipe, archive, lock, folder)
        if isStrict { try Self.refuse(plan.differences, recipe, lock, archive) }
        let content: RootfsLayer.Content
        let layer: LayerArchive
        do throws(AiboxError) {
            (content, layer) = try install(recipe, archive, epoch: plan.epoch, folder)
        } catch {
            throw keepingLog(error, folder, recipe)
        }
        let differences = lock?.differences(content.versions) ?? []
        if isStrict { try Self.refuse(differences, recipe, lock, archive) }
        progress("writing the image")
        let labels = ImageLabel.of(
            recipe, digest: try .of(recipe.canonicalText),
            packages: try .of(Array(DpkgStatus.manifest(content.versions).utf8)), release: archive.identity,
            created: plan.epoch)
        let layout = OCILayout(folder: folder.path + "/layout")
        let documents = OCIImage(
            recipe: recipe, architecture: archive.architecture, created: plan.epoch, labels: labels, layer: layer)
        let stored: StoredImage
        if let docker = store.docker {
            progress("loading it into Docker's storage")
            stored = try DockerImages(docker).load(
                documents, layer: folder.path + "/layer.tar", as: recipe.reference, in: folder.path)
        } else {
            let image = try layout.write(documents, layer: folder.path + "/layer.tar")
            progress("loading it into podman's storage")
            stored = try layout.load(image, as: recipe.reference, store.podman)
            try store.podman.prepareLayers(stored.id)
        }
        let installed = PackageLock(identity: archive.identity, date: plan.epoch, versions: content.versions)
        try installed.remember(recipe.name, paths)
        return BuiltImage(stored: stored, differences: differences, isLocked: lock != nil, lock: installed)
    }
}

/// What a build gave.
public struct BuiltImage: Sendable, Equatable {
    public var stored: StoredImage
    /// Where the installed versions differ from the lock.
    public var differences: [PackageLock.Difference]
    /// There is a lock for this release and architecture.
    public var isLocked: Bool
    /// The lock that this build would leave.
    public var lock: PackageLock
}

// MARK: - Age

extension ImageBuilder {
    /// How the archive of today differs from what is in an image: empty if building it again would change nothing.
    ///
    /// Nil if that cannot be told, for the image was not built by this user or from another recipe.
    public func pending(_ image: StoredImage, _ recipe: ImageRecipe) throws(AiboxError) -> [PackageLock.Difference]? {
        guard try image.isBuilt(from: recipe), let installed = try PackageLock.remembered(recipe.name, paths),
            image.labels[ImageLabel.packages]
                == (try ImageDigest.of(Array(DpkgStatus.manifest(installed.versions).utf8))).hexadecimal
        else { return nil }
        let folder = try BuildFolder(base: BuildFolder.base, runner)
        defer { folder.remove(runner) }
        let archive = try DistributionArchive.ofThisMachine(runner)
        return try plan(recipe, archive, installed, folder).differences
    }
}

// MARK: - Steps

extension ImageBuilder {
    private struct Plan {
        var epoch: Int
        var differences: [PackageLock.Difference]
    }

    /// Asks the archive before anything large is fetched, so that a package that it does not have, or another version
    /// than locked, is known in seconds.
    private func plan(
        _ recipe: ImageRecipe, _ archive: DistributionArchive, _ lock: PackageLock?, _ folder: BuildFolder
    ) throws(AiboxError) -> Plan {
        let names = Set(recipe.packages).union(lock.map { Set($0.versions.keys) } ?? []).sorted()
        let plan = try AptPlan.fetch(
            sources: archive.sources + recipe.sources, packages: names, folder: folder.path + "/apt", runner)
        let missing = plan.missing(recipe.packages)
        if !missing.isEmpty {
            throw AiboxError(
                .failed, "cannot build the image \(recipe.name)",
                why: "the archive of \(archive.codename) has no \(missing.joined(separator: ", "))",
                remedy: "check that apt's sources have all components the recipe needs (on Ubuntu: universe)")
        }
        guard let lock else { return Plan(epoch: plan.date, differences: []) }
        let found = plan.candidates.filter { lock.versions[$0.key] != nil }
        let differences = lock.differences(found)
        // The same versions are the same image, whenever it is built; other versions are another one.
        return Plan(epoch: differences.isEmpty ? lock.date : max(plan.date, lock.date), differences: differences)
    }

    private func install(
        _ recipe: ImageRecipe, _ archive: DistributionArchive, epoch: Int, _ folder: BuildFolder
    ) throws(AiboxError) -> (RootfsLayer.Content, LayerArchive) {
        let proxies = try runner.require(
            Command("apt-config", ["dump"], environment: ["APT_CONFIG": nil]), "cannot ask apt for its proxies")
        // mmdebstrap's own folder: in a user namespace others make files in it.
        let room = folder.path + "/room"
        if mkdir(room, 0o1777) != 0 || chmod(room, 0o1777) != 0 { throw .system("cannot make \(room)", errno: errno) }
        let installation = RootfsInstallation(
            archive: archive, recipe: recipe, epoch: epoch, isRoot: geteuid() == 0,
            proxies: RootfsInstallation.proxies(proxies.text), folder: room)
        let path = folder.path + "/layer.tar"
        let file = Descriptor(
            try retrying("cannot write \(path)") { open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600) })
        let layer = RootfsLayer(recipe: recipe, epoch: epoch)
        return try installation.run(lock: folder.lock, log: folder.path + "/install.log", progress: progress) {
            (stream: Descriptor) throws(AiboxError) in
            let reader = TarReader(stream)
            let writer = try TarWriter(file, name: path)
            let content = try layer.write(from: reader, to: writer)
            let archive = try writer.finish()
            try reader.drain()
            return (content, archive)
        }
    }

    private func keepingLog(
        _ error: AiboxError, _ folder: BuildFolder, _ recipe: ImageRecipe
    ) -> AiboxError {
        let kept = "\(paths.logFolder)/image-build-\(recipe.name).log"
        guard let log = try? File.read(folder.path + "/install.log"), !log.isEmpty,
            (try? Folder.make(paths.logFolder, mode: 0o700)) != nil, (try? File.replace(kept, with: log)) != nil
        else { return error }
        return AiboxError(
            error.code, error.what, why: error.why,
            remedy: (error.remedy.map { $0 + "\n  " } ?? "") + "the whole log is in \(kept)")
    }

    private static func refuse(
        _ differences: [PackageLock.Difference], _ recipe: ImageRecipe, _ lock: PackageLock?,
        _ archive: DistributionArchive
    ) throws(AiboxError) {
        let remedy = "aibox image build \(recipe.name) --update-lock   (takes the archive's versions as the new lock)"
        guard lock != nil else {
            throw AiboxError(
                .integrity, "the image \(recipe.name) is not locked",
                why: "its recipe has no \(PackageLock.fileName(archive.identity))", remedy: remedy)
        }
        if differences.isEmpty { return }
        let shown = differences.prefix(5).map { "\n  \($0)" }.joined()
        let more = differences.count > 5 ? "\n  and \(differences.count - 5) more" : ""
        throw AiboxError(
            .integrity, "the archive differs from the lock of the image \(recipe.name)", why: shown + more,
            remedy: remedy)
    }

    /// A recipe may bring sources of its own; each has to say whose signature it trusts, and that key has to be here.
    static func checkKeyrings(_ recipe: ImageRecipe) throws(AiboxError) {
        for source in recipe.sources {
            guard let keyring = source.signedBy else {
                throw AiboxError(
                    .usage, "cannot use the recipe \(recipe.name)",
                    why: "its source \(source.uri) names no signed-by keyring")
            }
            if File.exists(keyring) { continue }
            throw AiboxError(
                .failed, "cannot build the image \(recipe.name)",
                why:
                    "its packages come from \(source.uri), and the key that signs them, \(keyring), is not on this machine",
                remedy: "install that keyring the way the vendor describes, then run the command again")
        }
    }
}
