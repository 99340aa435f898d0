import AiboxSystem
import AiboxWire

/// What was accepted from a source last, which is also the highest version that ever was.
struct BundleRecord: Sendable, Equatable {
    var source: String
    /// SHA-256 of the packed bundle, which names its file.
    var archive: String
    /// cosign's, where the bundle holds none itself.
    var signature: [UInt8]?
    var version: Int64
    var revision: String
    /// Of names and contents.
    var digest: String
    var fetched: Timestamp

    var fileName: String { archive + BundleRecord.suffix }
    static let suffix = ".tar.gz"
    /// From 1970 to the end of 9999.
    static let seconds: ClosedRange<Int64> = 0...253_402_300_799

    var json: JSONValue {
        var object: JSONObject = [
            "version": 1, "source": .string(source), "archive": .string(archive), "bundle": .integer(version),
            "revision": .string(revision), "digest": .string(digest), "fetched": .integer(fetched.seconds),
        ]
        object["signature"] = signature.map { .string(String(decoding: $0, as: UTF8.self)) }
        return .object(object)
    }

    init(_ bundle: PolicyBundle, _ copy: BundleCopy, archive: String, from source: String, at moment: Timestamp) {
        self.source = source
        self.archive = archive
        signature = copy.signature
        version = bundle.manifest.version
        revision = bundle.manifest.revision
        digest = bundle.digest
        fetched = moment
    }

    init(json: JSONValue) throws(WireError) {
        var fields = try WireFields(json, in: "record of a bundle")
        guard try fields.integer("version") as Int == 1 else { throw fields.error("version is not 1") }
        source = try fields.string("source")
        archive = try fields.string("archive")
        guard archive.utf8.count == 64, archive.allSatisfy(\.isHexDigit) else {
            throw fields.error("archive is no digest")
        }
        version = try fields.integer("bundle")
        revision = try fields.string("revision")
        digest = try fields.string("digest")
        let seconds: Int64 = try fields.integer("fetched")
        guard Self.seconds.contains(seconds) else { throw fields.error("fetched is no time") }
        fetched = Timestamp(seconds: seconds)
        signature = try fields.optionalString("signature").map { Array($0.utf8) }
        try fields.finish()
    }
}
