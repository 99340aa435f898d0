import AiboxCrypto
public import AiboxSystem
import Glibc

/// A bucket with object lock: nobody, its owner included, can change or remove an object before its time (S3's
/// compliance mode).
public struct S3Store: ArchiveStore {
    let bucket: String
    /// Before each name; empty, or ends with a slash.
    let prefix: String
    private let exchange: HTTPSExchange
    private let signature: S3Signature
    private let clock: @Sendable () -> Timestamp
    /// Bytes of a part of an upload in parts; S3 takes 5 MiB and more.
    private let partBytes: Int

    /// - Parameter address: `s3://BUCKET/PREFIX?endpoint=HOST[:PORT]&region=REGION&ca=FILE`. The keys are in the
    ///   environment, as every client of S3 has them: `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`,
    ///   `AWS_SESSION_TOKEN`.
    public init(_ address: String) throws(AiboxError) { try self.init(address, partBytes: 8 << 20) }

    init(
        _ address: String, partBytes: Int, environment: [String: String] = Environment.all,
        clock: @escaping @Sendable () -> Timestamp = { .now }
    ) throws(AiboxError) {
        func wrong(_ why: String) -> AiboxError {
            AiboxError(
                .usage, "\(address) is no place for sealed audit files", why: why,
                remedy: "s3://BUCKET/PREFIX?endpoint=HOST:PORT&region=REGION&ca=FILE")
        }
        guard address.hasPrefix("s3://") else { throw wrong("it does not begin with s3://") }
        let rest = address.dropFirst(5).split(separator: "?", maxSplits: 1)
        let place = (rest.first ?? "").split(separator: "/", maxSplits: 1)
        guard let bucket = place.first, !bucket.isEmpty else { throw wrong("it names no bucket") }
        self.bucket = String(bucket)
        let prefix = place.count == 2 ? String(place[1]) : ""
        self.prefix = prefix.isEmpty || prefix.hasSuffix("/") ? prefix : prefix + "/"
        var options: [Substring: String] = [:]
        for option in rest.count == 2 ? rest[1].split(separator: "&") : [] {
            let pair = option.split(separator: "=", maxSplits: 1)
            guard pair.count == 2, ["endpoint", "region", "ca"].contains(pair[0]) else {
                throw wrong("it knows no option \(option)")
            }
            options[pair[0]] = String(pair[1])
        }
        let region = options["region"] ?? "us-east-1"
        let endpoint = (options["endpoint"] ?? "s3.\(region).amazonaws.com").split(separator: ":")
        guard let host = endpoint.first, let port = endpoint.count == 2 ? UInt16(endpoint[1]) : 443 else {
            throw wrong("its endpoint is no host and port")
        }
        guard let keyID = environment["AWS_ACCESS_KEY_ID"], let secret = environment["AWS_SECRET_ACCESS_KEY"] else {
            throw AiboxError(
                .failed, "cannot use \(address)",
                why: "the environment holds no AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")
        }
        exchange = HTTPSExchange(host: String(host), port: port, authorities: options["ca"])
        signature = S3Signature(
            keyID: keyID, secret: secret, sessionToken: environment["AWS_SESSION_TOKEN"], region: region)
        self.partBytes = partBytes
        self.clock = clock
    }

    public func names() throws(AiboxError) -> [String] { try entries(.newest).entries.map(\.name).sorted() }

    /// What a listing is to hold: each object as it is now, or all versions of all, those that were "deleted" included.
    enum Listing { case newest, versions }

    struct Entry: Equatable {
        var name: String
        /// nil: the newest.
        var version: String?
    }

    /// The objects whose names begin with `start`, in the order of their names.
    ///
    /// - Parameters:
    ///   - after: only those behind this name; for `newest` alone.
    ///   - delimiter: names that go on behind it are told as folders, once each.
    func entries(
        _ listing: Listing, under start: String = "", after: String? = nil, delimiter: String? = nil
    ) throws(AiboxError) -> (entries: [Entry], folders: [String]) {
        var entries: [Entry] = []
        var folders: [String] = []
        var marks: [(String, String)] = after.map { [("start-after", prefix + $0)] } ?? []
        while true {
            var query = [listing == .newest ? ("list-type", "2") : ("versions", ""), ("prefix", prefix + start)]
            if let delimiter { query.append(("delimiter", delimiter)) }
            let text = String(decoding: try ask("GET", nil, query + marks).body, as: UTF8.self)
            for element in XMLText.values(listing == .newest ? "Contents" : "Version", in: text) {
                guard let key = XMLText.values("Key", in: element).first else { continue }
                let version = listing == .newest ? nil : XMLText.values("VersionId", in: element).first
                entries.append(Entry(name: String(key.dropFirst(prefix.count)), version: version))
            }
            for element in XMLText.values("CommonPrefixes", in: text) {
                folders += XMLText.values("Prefix", in: element).map { String($0.dropFirst(prefix.count)) }
            }
            guard XMLText.values("IsTruncated", in: text).first == "true" else { return (entries, folders) }
            marks = [
                ("continuation-token", "NextContinuationToken"), ("key-marker", "NextKeyMarker"),
                ("version-id-marker", "NextVersionIdMarker"),
            ].compactMap { name, element in XMLText.values(element, in: text).first.map { (name, $0) } }
            if marks.isEmpty { throw AiboxError(.failed, "the bucket \(bucket) lists its objects only in part") }
        }
    }

    func get(_ name: String, version: String?) throws(AiboxError) -> [UInt8] {
        try ask("GET", name, version.map { [("versionId", $0)] } ?? []).body
    }

    /// Puts a small object there, locked until a moment, unless it is there with this content.
    ///
    /// - Throws: `integrity` if it is there with other content.
    func put(_ name: String, _ body: [UInt8], until: Timestamp) throws(AiboxError) {
        let answer = try request("GET", name, [])
        if answer.status == 200 {
            if answer.body == body { return }
            throw AiboxError(.integrity, "cannot write \(name)", why: "the bucket \(bucket) has it with other content")
        }
        guard answer.status == 404 else { throw refusal("GET", name, answer) }
        _ = try ask("PUT", name, [], headers: lock(until) + checksum(body), body: body)
    }

    public func get(_ name: String) throws(AiboxError) -> [UInt8] { try ask("GET", name, []).body }

    /// S3 itself refuses where the lock still holds.
    public func remove(_ name: String) throws(AiboxError) {
        // Without naming the version only a marker would be set, and the object be hidden.
        let text = String(
            decoding: try ask("GET", nil, [("versions", ""), ("prefix", prefix + name)]).body, as: UTF8.self)
        for version in XMLText.values("VersionId", in: text) { _ = try ask("DELETE", name, [("versionId", version)]) }
    }

    public func put(_ name: String, _ file: String, until: Timestamp) throws(AiboxError) {
        let source = try LogWriter.open(file, O_RDONLY)
        let length = try FileBytes.length(source, file)
        if try isThere(name, source, length, file) { return }
        if length <= UInt64(partBytes) {
            let body = try FileBytes.read(source, from: 0, to: length, file)
            _ = try ask("PUT", name, [], headers: lock(until) + checksum(body), body: body)
        } else {
            try putInParts(name, source, length, file, until)
        }
    }

    /// Whether the object is there with the same content; with other content is an error.
    private func isThere(
        _ name: String, _ source: Descriptor, _ length: UInt64, _ file: String
    ) throws(AiboxError) -> Bool {
        let answer = try request("HEAD", name, [])
        if answer.status == 404 { return false }
        guard answer.status == 200 else { throw refusal("HEAD", name, answer) }
        if answer.headers["content-length"] == String(length),
            try get(name) == FileBytes.read(source, from: 0, to: length, file)
        {
            return true
        }
        throw AiboxError(.integrity, "cannot archive \(name)", why: "the bucket has it with other content")
    }

    private func lock(_ until: Timestamp) -> [(String, String)] {
        [
            ("x-amz-object-lock-mode", "COMPLIANCE"),
            ("x-amz-object-lock-retain-until-date", until.rfc3339.prefix(19) + "Z"),
        ]
    }

    /// Asked for wherever an object is locked.
    private func checksum(_ body: [UInt8]) throws(AiboxError) -> [(String, String)] {
        [
            ("x-amz-sdk-checksum-algorithm", "SHA256"),
            ("x-amz-checksum-sha256", Base64.encode(try SHA256.digest(body).bytes)),
        ]
    }

    // MARK: In parts

    /// Uploads in parts; those that an interrupted upload left there are not sent again.
    private func putInParts(
        _ name: String, _ source: Descriptor, _ length: UInt64, _ file: String, _ until: Timestamp
    ) throws(AiboxError) {
        let upload = try openUpload(name, until)
        let query = [("uploadId", upload)]
        let listed = String(decoding: try ask("GET", name, query).body, as: UTF8.self)
        var known: [Int: (tag: String, size: String)] = [:]
        for part in XMLText.values("Part", in: listed) {
            guard let number = XMLText.values("PartNumber", in: part).first.flatMap({ Int($0) }) else { continue }
            known[number] = (
                XMLText.values("ETag", in: part).first ?? "", XMLText.values("Size", in: part).first ?? ""
            )
        }
        var document = "<CompleteMultipartUpload>"
        var number = 0
        for start in stride(from: 0, to: length, by: partBytes) {
            number += 1
            let end = min(start + UInt64(partBytes), length)
            var tag = ""
            if let part = known[number], part.size == String(end - start) {
                tag = part.tag
            } else {
                let body = try FileBytes.read(source, from: start, to: end, file)
                let answer = try ask("PUT", name, query + [("partNumber", "\(number)")], body: body)
                tag = answer.headers["etag"] ?? ""
            }
            document += "<Part><PartNumber>\(number)</PartNumber><ETag>\(XMLText.escaped(tag))</ETag></Part>"
        }
        _ = try ask("POST", name, query, body: Array((document + "</CompleteMultipartUpload>").utf8))
        // A part that somebody else put there would be found here.
        let whole = try FileBytes.read(source, from: 0, to: length, file)
        if try get(name) != whole {
            throw AiboxError(.integrity, "cannot archive \(name)", why: "the bucket holds other content than was sent")
        }
    }

    /// The upload that an earlier call left open, else a new one.
    private func openUpload(_ name: String, _ until: Timestamp) throws(AiboxError) -> String {
        let open = String(
            decoding: try ask("GET", nil, [("uploads", ""), ("prefix", prefix + name)]).body, as: UTF8.self)
        for upload in XMLText.values("Upload", in: open) where XMLText.values("Key", in: upload).first == prefix + name
        {
            if let id = XMLText.values("UploadId", in: upload).first { return id }
        }
        let begun = String(decoding: try ask("POST", name, [("uploads", "")], headers: lock(until)).body, as: UTF8.self)
        if let id = XMLText.values("UploadId", in: begun).first { return id }
        throw AiboxError(.failed, "cannot archive \(name)", why: "the bucket began no upload")
    }

    // MARK: Requests

    private func ask(
        _ method: String, _ name: String?, _ query: [(String, String)], headers: [(String, String)] = [],
        body: [UInt8] = []
    ) throws(AiboxError) -> HTTPSExchange.Answer {
        let answer = try request(method, name, query, headers: headers, body: body)
        if (200..<300).contains(answer.status) { return answer }
        throw refusal(method, name, answer)
    }

    private func request(
        _ method: String, _ name: String?, _ query: [(String, String)], headers: [(String, String)] = [],
        body: [UInt8] = []
    ) throws(AiboxError) -> HTTPSExchange.Answer {
        let path =
            "/" + S3Signature.encoded(bucket)
            + (name.map { "/" + S3Signature.encoded(prefix + $0, keepingSlash: true) } ?? "")
        let query = S3Signature.query(query)
        let signed = try signature.headers(
            method, host: exchange.authority, path: path, query: query, headers: headers, body: body, at: clock())
        return try exchange.send(method, query.isEmpty ? path : path + "?" + query, headers: signed, body: body)
    }

    private func refusal(_ method: String, _ name: String?, _ answer: HTTPSExchange.Answer) -> AiboxError {
        let text = String(decoding: answer.body.prefix(65_536), as: UTF8.self)
        let words = [XMLText.values("Code", in: text).first, XMLText.values("Message", in: text).first]
        return AiboxError(
            answer.status == 403 ? .denied : .failed, "the bucket \(bucket) refuses \(method) \(name ?? "")",
            why: SafeText.escaped("status \(answer.status) " + words.compactMap { $0 }.joined(separator: ": ")))
    }
}

/// As much of XML as the answers of S3 need: elements without attributes that matter.
enum XMLText {
    /// The content of each element of a name, with its entities resolved.
    static func values(_ name: String, in text: String) -> [String] {
        var values: [String] = []
        var rest = text[...]
        while let open = rest.firstRange(of: "<\(name)>"),
            let close = rest[open.upperBound...].firstRange(of: "</\(name)>")
        {
            values.append(unescaped(rest[open.upperBound..<close.lowerBound]))
            rest = rest[close.upperBound...]
        }
        return values
    }

    private static func unescaped(_ text: Substring) -> String {
        if text.contains("<") { return String(text) }
        return String(text).replacing("&lt;", with: "<").replacing("&gt;", with: ">").replacing("&quot;", with: "\"")
            .replacing("&#34;", with: "\"").replacing("&apos;", with: "'").replacing("&amp;", with: "&")
    }

    static func escaped(_ text: String) -> String {
        text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing("\"", with: "&quot;")
    }
}
