public import AiboxSystem
import Glibc

/// The images from registries whose signature aibox has checked: what `aibox start` may use, and the age below which
/// `aibox update` takes none.
///
/// A text file, one check a line: `CREATED REPOSITORY DIGEST KEY`. KEY is the fingerprint of the key file, so that an
/// image counts no longer once its key is taken out of `registry.keys`.
public struct VerifiedImages: Sendable, Equatable {
    public struct Check: Sendable, Equatable {
        /// When the image was made, by its own word, which the signature covers. Seconds since 1970.
        public var created: Int
        public var repository: String
        public var digest: ImageDigest
        public var key: String
    }

    public private(set) var checks: [Check] = []

    public init() {}

    /// - Throws: for a line that makes no sense; guessing would take an unchecked image for a checked one.
    init(_ text: String, file: String) throws(AiboxError) {
        for (index, line) in text.split(separator: "\n").enumerated() {
            let words = line.split(separator: " ", omittingEmptySubsequences: false)
            guard words.count == 4, let created = Timestamp(rfc3339: String(words[0])), !words[1].isEmpty,
                let digest = ImageDigest(String(words[2])), words[3].utf8.count == 64
            else {
                throw AiboxError(
                    .integrity, "cannot use \(file)", why: "line \(index + 1) is broken",
                    remedy: "remove the file, then run aibox update")
            }
            checks.append(
                Check(
                    created: Int(created.seconds), repository: String(words[1]), digest: digest, key: String(words[3])))
        }
    }

    var text: String {
        checks.map { "\(ImageLabel.moment($0.created)) \($0.repository) \($0.digest) \($0.key)\n" }.joined()
    }

    /// The newest image of the repository that was ever accepted.
    public func newest(_ repository: String) -> Check? {
        checks.filter { $0.repository == repository }.max { $0.created < $1.created }
    }

    /// True if this image was checked with one of these keys.
    func contains(_ repository: String, _ digest: ImageDigest, keys: Set<String>) -> Bool {
        checks.contains { $0.repository == repository && $0.digest == digest && keys.contains($0.key) }
    }

    mutating func add(_ check: Check) {
        checks.removeAll { $0.repository == check.repository && $0.digest == check.digest && $0.key == check.key }
        checks.append(check)
    }
}

extension VerifiedImages {
    /// Reads the file; one that is not there is empty.
    public static func load(_ path: String) throws(AiboxError) -> VerifiedImages {
        File.exists(path) ? try VerifiedImages(try File.text(path), file: path) : VerifiedImages()
    }

    /// Adds a check to the file.
    static func record(_ check: Check, in path: String) throws(AiboxError) {
        try Folder.makePrivate(Path.parent(path))
        var lock: FileLock?
        for _ in 0..<100 {
            lock = try FileLock.take(path + ".lock")
            if lock != nil { break }
            usleep(50_000)
        }
        guard let lock else {
            throw AiboxError(.failed, "cannot write \(path)", why: "another aibox has been writing it for five seconds")
        }
        defer { lock.release() }
        var images = try load(path)
        images.add(check)
        try File.replace(path, with: images.text)
    }
}
