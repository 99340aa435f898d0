import AiboxConfig
public import AiboxSystem

/// The exact package versions of an image, for one release and architecture: `packages.bookworm-amd64.lock`.
///
/// A list, not a source: archives keep superseded versions for a short while only, so a lock can tell that the archive
/// has moved on, and cannot bring the old versions back.
public struct PackageLock: Sendable, Equatable {
    /// `bookworm-amd64`
    public var identity: String
    /// The moment that the image takes for its own: the newest Release file at the time of the lock, in seconds
    /// since 1970.
    public var date: Int
    /// Versions by package name.
    public var versions: [String: String]

    public init(identity: String, date: Int, versions: [String: String]) {
        self.identity = identity
        self.date = date
        self.versions = versions
    }

    /// The lock's file name beside the recipe.
    public static func fileName(_ identity: String) -> String { "packages.\(identity).lock" }

    public var text: String {
        var text =
            "# Written by `aibox image build --update-lock`.\nrelease \(identity)\ndate \(ImageLabel.moment(date))\n"
        for (name, version) in versions.sorted(by: { $0.key < $1.key }) { text += "\(name) \(version)\n" }
        return text
    }

    /// - Parameter file: the name used in errors.
    public init(_ text: String, file: String) throws(AiboxError) {
        var fields: [String: String] = [:]
        var order: [String] = []
        for (number, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            if line.isEmpty || line.hasPrefix("#") { continue }
            let words = line.split(separator: " ")
            guard words.count == 2, fields.updateValue(String(words[1]), forKey: String(words[0])) == nil else {
                throw AiboxError(
                    .failed, "cannot use \(file)", why: "line \(number + 1) is no package with its version",
                    remedy: "write it anew: aibox image build --update-lock")
            }
            order.append(String(words[0]))
        }
        guard order.prefix(2) == ["release", "date"], let identity = fields.removeValue(forKey: "release"),
            let date = fields.removeValue(forKey: "date").flatMap({ Timestamp(rfc3339: $0) })
        else {
            throw AiboxError(
                .failed, "cannot use \(file)", why: "it does not begin with its release and date",
                remedy: "write it anew: aibox image build --update-lock")
        }
        self.init(identity: identity, date: Int(date.seconds), versions: fields)
    }

    /// A package whose version is another one than the lock says; nil stands for "not there".
    public struct Difference: Sendable, Equatable, CustomStringConvertible {
        public var package: String
        public var locked: String?
        public var found: String?

        public var description: String {
            "\(package): \(locked ?? "not") in the lock, \(found ?? "not") in the archive"
        }
    }

    /// How `versions` differ from the lock, by name.
    public func differences(_ found: [String: String]) -> [Difference] {
        Set(versions.keys).union(found.keys).sorted().compactMap { name in
            versions[name] == found[name]
                ? nil : Difference(package: name, locked: versions[name], found: found[name])
        }
    }
}

// MARK: - What was built here

extension PackageLock {
    /// Keeps the packages of an image just built, so that they can be compared with the archive later.
    func remember(_ recipe: String, _ paths: Paths) throws(AiboxError) {
        try Folder.makePrivate(paths.imageFolder)
        try File.replace(Self.path(recipe, paths), with: text)
    }

    static func remembered(_ recipe: String, _ paths: Paths) throws(AiboxError) -> PackageLock? {
        let path = path(recipe, paths)
        return File.exists(path) ? try PackageLock(try File.text(path), file: path) : nil
    }

    private static func path(_ recipe: String, _ paths: Paths) -> String { "\(paths.imageFolder)/\(recipe).packages" }
}
