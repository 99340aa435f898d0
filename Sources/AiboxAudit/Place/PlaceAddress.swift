import AiboxCrypto
public import AiboxSystem

/// A second place of the checkpoints that is not on this machine: a git repository, a bucket, a witness, a syslog
/// server.
///
///     git+https://HOST/PATH?branch=NAME, git+ssh://USER@HOST/PATH, git+file:///PATH
///     s3://BUCKET/PREFIX?endpoint=HOST:PORT&region=REGION&ca=FILE&days=N
///     witness+https://HOST/PREFIX?key=FILE&ca=FILE
///     syslog+tls://HOST:PORT?ca=FILE
public struct PlaceAddress: Sendable, Equatable {
    public enum Kind: Sendable, Equatable {
        /// - Parameter url: as git takes it.
        case git(url: String, branch: String)
        /// - Parameters:
        ///   - store: the address of the bucket, without what only a place knows.
        ///   - days: how long each checkpoint is locked.
        case s3(store: String, days: Int64)
        /// - Parameters:
        ///   - prefix: the submission prefix, without a slash at its end.
        ///   - key: a file with the witness' verifier key.
        case witness(host: String, port: UInt16, prefix: String, key: String, authorities: String?)
        case syslog(SinkAddress)
    }

    public var kind: Kind
    public let text: String

    /// How long a bucket locks a checkpoint where the address does not say: as long as the events of the first tier.
    static let lockedDays: Int64 = 730
    static let branch = "aibox-audit"

    /// - Throws: `usage` with what is wrong.
    public init(_ text: String) throws(AiboxError) {
        self.text = text
        func wrong(_ why: String) -> AiboxError {
            AiboxError(
                .usage, "\(text) is no place for checkpoints", why: why,
                remedy:
                    "git+https://HOST/PATH, git+ssh://HOST/PATH, s3://BUCKET/PREFIX, witness+https://HOST?key=FILE or syslog+tls://HOST:PORT"
            )
        }
        guard text.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7f }) else { throw wrong("it has white space in it") }
        let parts = text.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        let place = String(parts[0])
        var options: [String: String] = [:]
        for option in parts.count == 2 ? parts[1].split(separator: "&") : [] {
            let pair = option.split(separator: "=", maxSplits: 1)
            guard pair.count == 2 else { throw wrong("\(option) is no option") }
            options[String(pair[0])] = String(pair[1])
        }
        func take(_ name: String) -> String? { options.removeValue(forKey: name) }
        if place.hasPrefix("git+") {
            let url = String(place.dropFirst(4))
            guard ["https://", "ssh://", "file:///"].contains(where: { url.hasPrefix($0) && url.count > $0.count })
            else { throw wrong("it is none of git+https://, git+ssh://, git+file:///") }
            let branch = take("branch") ?? Self.branch
            guard Self.isBranch(branch) else { throw wrong("\(branch) is no name for a branch") }
            kind = .git(url: url, branch: branch)
        } else if place.hasPrefix("s3://") {
            guard place.count > 5 else { throw wrong("it names no bucket") }
            guard let days = Int64(take("days") ?? "\(Self.lockedDays)"), (1...36_500).contains(days) else {
                throw wrong("days is no number of days")
            }
            let rest = ["ca", "endpoint", "region"].compactMap { name in take(name).map { "\(name)=\($0)" } }
            kind = .s3(store: rest.isEmpty ? place : place + "?" + rest.joined(separator: "&"), days: days)
        } else if place.hasPrefix("witness+https://") {
            let authorities = take("ca")
            guard let key = take("key") else { throw wrong("it names no file with the witness' key (?key=FILE)") }
            // Host and path are read as those of a sink are.
            let address = try SinkAddress("https://" + place.dropFirst("witness+https://".count))
            var prefix = address.path
            while prefix.hasSuffix("/") { prefix.removeLast() }
            kind = .witness(
                host: address.host, port: address.port, prefix: prefix, key: key, authorities: authorities)
        } else if place.hasPrefix("syslog+tls://") {
            kind = .syslog(try SinkAddress(text))
            options = [:]
        } else {
            throw wrong("it begins with none of git+, s3://, witness+https://, syslog+tls://")
        }
        if let option = options.keys.min() { throw wrong("it knows no option \(option)") }
    }

    /// Whether what was put there can be read back, so that `audit verify` can compare.
    public var isReadable: Bool {
        if case .syslog = kind { return false }
        return true
    }

    /// As much of git-check-ref-format(1) as a name of our own needs.
    private static func isBranch(_ name: String) -> Bool {
        !name.isEmpty && name.utf8.count <= 200 && !name.hasPrefix("-") && !name.hasPrefix("/") && !name.hasSuffix("/")
            && !name.contains("..") && !name.contains("//") && !name.hasSuffix(".lock") && !name.hasSuffix(".")
            && name.unicodeScalars.allSatisfy {
                $0.isASCII
                    && ($0.properties.isAlphabetic || ("0"..."9").contains($0) || "-_./".unicodeScalars.contains($0))
            } && !name.split(separator: "/").contains { $0.hasPrefix(".") }
    }

    func place(_ folder: LogFolder) throws(AiboxError) -> any CheckpointPlace {
        switch kind {
        case .git(let url, let branch): GitPlace(url: url, branch: branch, cache: try folder.place(self) + ".git")
        case .s3(let store, let days): BucketPlace(store: try S3Store(store), days: days)
        case .witness(let host, let port, let prefix, let key, let authorities):
            WitnessPlace(
                exchange: HTTPSExchange(host: host, port: port, authorities: authorities), prefix: prefix,
                key: try WitnessKey(try File.text(key, limit: 65_536), from: key),
                tree: try folder.place(self) + ".tree")
        case .syslog(let address): SyslogPlace(address: address)
        }
    }
}
