import AiboxSystem
import AiboxWire
import Glibc

/// Stands between Docker's daemon and the runtime of a sandbox: gives the container what `aibox start` asked for and the
/// docker client cannot say, then becomes the real runtime. Whatever is not as expected ends the call.
struct DockerRuntime {
    /// Where the requests of this user's sandboxes lie.
    let folder: String
    let words: [String]

    func run() throws(AiboxError) {
        guard let call = RuntimeCall(words) else {
            throw AiboxError(
                .usage, "aibox's runtime does not do this", why: SafeText.escaped(words.joined(separator: " ")))
        }
        try requirePrivate(folder, S_IFDIR)
        let file = "\(folder)/\(call.id).json"
        guard File.exists(file) else {
            throw AiboxError(
                .layerMissing, "cannot run this container", why: "aibox start did not ask for it",
                remedy: "only aibox start makes containers of this runtime")
        }
        try requirePrivate(file, S_IFREG)
        let runtime = try Self.understand(file) { (json: JSONValue) throws(WireError) in
            try RuntimeRequest.runtime(of: json)
        }
        // A sandbox of another version of aibox can still be ended, but not begun.
        if ["create", "start"].contains(call.command) {
            let request = try Self.understand(file) { (json: JSONValue) throws(WireError) in
                try RuntimeRequest(json: json)
            }
            if call.command == "create", let bundle = call.bundle { try prepare(bundle, request, call.id) }
        }
        try ProcessReplacement.become(Command(runtime[0], runtime.dropFirst() + words))
    }

    private func prepare(_ bundle: String, _ request: RuntimeRequest, _ id: String) throws(AiboxError) {
        try requireNamespace(request)
        if request.mapsCaller { try Self.requireIDs() }
        // Each request holds once: a container that is started again has no namespace to go to.
        let mark = "\(folder)/\(id).bundle"
        let used = Descriptor(
            try retrying("cannot run this container again") {
                open(mark, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
            })
        try File.writeAll(Array(bundle.utf8), to: used, mark)
        let file = bundle + "/config.json"
        let changed = try Self.understand(file) { (json: JSONValue) throws(WireError) in
            try request.applied(to: json)
        }
        try File.replace(file, with: changed.bytes, mode: 0o644)
    }

    /// Reads a document strictly: a number that cannot be kept as it is would be written back changed.
    private static func understand<Value>(
        _ path: String, _ body: (JSONValue) throws(WireError) -> Value
    ) throws(AiboxError) -> Value {
        let bytes = try File.read(path, limit: 8 << 20)
        do {
            return try body(try JSONParser.parse(bytes, limits: JSONParser.Limits(size: 8 << 20)))
        } catch let error as WireError {
            throw AiboxError(.layerMissing, error.what, why: error.why)
        } catch {
            throw AiboxError(.failed, "cannot read \(path)", why: "\(error)")
        }
    }

    private func requireNamespace(_ request: RuntimeRequest) throws(AiboxError) {
        var found = stat()
        if stat(request.networkNamespace, &found) == 0,
            "\(found.st_dev):\(found.st_ino)" == request.networkIdentity
        {
            return
        }
        throw AiboxError(.layerMissing, "cannot run this container", why: "the sandbox's network namespace is gone")
    }

    private static func requireIDs() throws(AiboxError) {
        for file in ["/proc/self/uid_map", "/proc/self/gid_map"] {
            var next = 0
            for line in try File.text(file, limit: 1 << 16).split(separator: "\n") {
                let numbers = line.split(separator: " ").compactMap { Int($0) }
                guard numbers.count == 3, numbers[0] == next else { break }
                next += numbers[2]
            }
            if next < RuntimeRequest.neededIDs {
                throw AiboxError(
                    .layerMissing, "cannot run this container",
                    why: "the daemon has \(next) ids, and \(RuntimeRequest.neededIDs) are needed",
                    remedy: "give its user more in /etc/subuid and /etc/subgid")
            }
        }
    }

    /// Refuses what somebody else could have written.
    private func requirePrivate(_ path: String, _ kind: UInt32) throws(AiboxError) {
        var found = stat()
        if lstat(path, &found) == 0, found.st_mode & S_IFMT == kind, found.st_uid == geteuid(),
            found.st_mode & 0o077 == 0
        {
            return
        }
        throw AiboxError(.failed, "cannot use \(path)", why: "it is not this user's alone")
    }

    /// To standard error, and to the log in which the shim looks for a reason, one JSON object a line as runc writes it.
    static func report(_ error: AiboxError, _ words: [String]) {
        let text = error.what + (error.why.map { ": " + $0 } ?? "")
        let line = Array("aibox-docker-runtime: \(text)\n".utf8)
        _ = write(STDERR_FILENO, line, line.count)
        guard let path = RuntimeCall.log(words) else { return }
        let number = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0o600)
        if number < 0 { return }
        let entry: JSONValue = [
            "level": "error", "msg": .string("aibox: " + text), "time": .string(Timestamp.now.rfc3339),
        ]
        try? File.writeAll(entry.bytes + [UInt8(ascii: "\n")], to: Descriptor(number), path)
    }
}
