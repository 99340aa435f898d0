import AiboxCrypto
import AiboxSystem
import AiboxWire

/// The signature of one request.
struct AWSSignature {
    let key: AWSKey
    let region: String
    let service: String

    /// The header fields that carry it.
    ///
    /// - Parameters:
    ///   - host: as the Host field has it.
    ///   - path: as it is sent; each part of it is escaped once more before it is signed, as all services but S3 do.
    ///   - query: without its `?`, escaped, in the order of names.
    ///   - second: seconds since 1970.
    func fields(
        method: String, host: String, path: String, query: String = "", body: UnsafeRawBufferPointer, second: Int64
    ) throws(AiboxError) -> [(name: String, value: String)] {
        let time = Self.time(second)
        let day = String(time.prefix(8))
        var signed = [("host", host), ("x-amz-date", time)]
        if let token = key.token { signed.append(("x-amz-security-token", token)) }
        let names = signed.map(\.0).joined(separator: ";")
        let canonical =
            "\(method)\n\(Self.escaped(path))\n\(query)\n"
            + signed.map { "\($0.0):\($0.1)\n" }.joined() + "\n\(names)\n\(try Self.digest(body))"
        let scope = "\(day)/\(region)/\(service)/aws4_request"
        let text = "AWS4-HMAC-SHA256\n\(time)\n\(scope)\n\(try SHA256.digest(Array(canonical.utf8)).hex)"
        var secret = Array(("AWS4" + key.secret).utf8)
        for step in [day, region, service, "aws4_request"] {
            secret = try HMACSHA256.authenticate(Array(step.utf8), key: secret).bytes
        }
        let signature = try HMACSHA256.authenticate(Array(text.utf8), key: secret).hex
        var fields = [
            (
                name: "Authorization",
                value: "AWS4-HMAC-SHA256 Credential=\(key.id)/\(scope), SignedHeaders=\(names), Signature=\(signature)"
            ), (name: "X-Amz-Date", value: time),
        ]
        if let token = key.token { fields.append((name: "X-Amz-Security-Token", value: token)) }
        return fields
    }

    private static func digest(_ body: UnsafeRawBufferPointer) throws(AiboxError) -> String {
        let hash = try SHA256()
        try hash.start()
        try hash.update(body)
        return try hash.finish().hex
    }

    /// `20260102T030405Z`.
    private static func time(_ second: Int64) -> String {
        let text = Timestamp(seconds: second).rfc3339
        return text.prefix(19).filter { $0 != "-" && $0 != ":" } + "Z"
    }

    private static func escaped(_ path: String) -> String {
        path.split(separator: "/", omittingEmptySubsequences: false).map { part in
            part.utf8.reduce(into: "") { text, byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."),
                    UInt8(ascii: "~"):
                    text.unicodeScalars.append(Unicode.Scalar(byte))
                default: text += "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
                }
            }
        }.joined(separator: "/")
    }
}
