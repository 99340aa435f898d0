public import AiboxSystem
import Glibc

/// Checks an image in podman's storage against its recipe: byte by byte, not by what its labels say of it.
///
/// podman puts the layer's archive together again from the files in its storage; the digest of that archive, which the
/// image's id covers, tells whether one of them was changed.
public struct ImageVerification: Sendable {
    let podman: Podman
    let recipe: ImageRecipe
    /// The lock to compare versions with; nil compares none.
    let lock: PackageLock?

    public init(podman: Podman, recipe: ImageRecipe, lock: PackageLock? = nil) {
        self.podman = podman
        self.recipe = recipe
        self.lock = lock
    }

    /// One promise and what became of it.
    public struct Finding: Sendable, Equatable {
        /// What was checked: `no setuid program`.
        public var check: String
        /// What is wrong; nil if nothing is.
        public var problem: String?
    }

    /// - Throws: if the image cannot be read; a broken promise is a finding.
    public func findings(_ image: StoredImage) throws(AiboxError) -> [Finding] {
        let folder = try Folder.makeTemporary(prefix: "aibox-image-check")
        defer { try? Folder.removeTree(folder) }
        let save = podman.command([
            "save", "--quiet", "--format", "oci-dir", "--uncompressed", "-o", folder + "/image", image.id,
        ])
        let saved = try podman.runner.run(save, timeout: .seconds(900))
        var findings: [Finding] = []
        if !saved.succeeded {
            if saved.errorText.contains("checksum") || saved.errorText.contains("digest") {
                let said = saved.errorText.split(separator: "\n").last.map(String.init) ?? ""
                return [Finding(check: "the files are those of the image", problem: SafeText.escaped(said))]
            }
            throw Podman.failure("cannot read the image \(image.reference)", saved)
        }
        guard image.layers.count == 1 else {
            return [Finding(check: "one layer", problem: "it has \(image.layers.count); aibox builds images with one")]
        }
        let path = "\(folder)/image/blobs/sha256/\(image.layers[0].hexadecimal)"
        let inspection = try LayerInspection(path: path, recipe: recipe)
        findings.append(
            Finding(
                check: "the files are those of the image",
                problem: inspection.digest == image.layers[0] ? nil : "its layer has the digest \(inspection.digest)"))
        findings.append(contentsOf: try labels(image, inspection))
        findings += inspection.findings
        if let lock {
            let differences = lock.differences(inspection.versions)
            let more = differences.count > 3 ? " and \(differences.count - 3) more" : ""
            findings.append(
                Finding(
                    check: "the versions are as locked",
                    problem: differences.isEmpty
                        ? nil : differences.prefix(3).map(\.description).joined(separator: "; ") + more))
        }
        return findings
    }

    private func labels(_ image: StoredImage, _ layer: LayerInspection) throws(AiboxError) -> [Finding] {
        let recipeIsSame = try image.isBuilt(from: recipe)
        let packages = try ImageDigest.of(Array(DpkgStatus.manifest(layer.versions).utf8)).hexadecimal
        return [
            Finding(
                check: "built from this recipe",
                problem: recipeIsSame ? nil : "the recipe \(recipe.name) has another digest than the image's label"),
            Finding(
                check: "the packages are those of the label",
                problem: image.labels[ImageLabel.packages] == packages
                    ? nil : "installed packages have the digest \(packages)"),
            Finding(
                check: "its name is \(recipe.name)",
                problem: image.labels[ImageLabel.name] == recipe.name
                    ? nil : "its label says \(image.recipe ?? "nothing")"),
        ]
    }
}
