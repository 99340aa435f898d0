import AiboxCrypto
import AiboxSystem

/// Signs requests to S3 and its kin (AWS Signature Version 4).
struct S3Signature: Sendable {
    var keyID: String
    var secret: String
    /// Of temporary keys; nil for lasting ones.
    var sessionToken: String?
    var region: String

    private static let unreserved = Set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~".utf8)

    /// Percent-encoding as the signature wants it.
    static func encoded(_ text: String, keepingSlash: Bool = false) -> String {
        var result = ""
        for byte in text.utf8 {
            if unreserved.contains(byte) || keepingSlash && byte == UInt8(ascii: "/") {
                result.unicodeScalars.append(Unicode.Scalar(byte))
            } else {
                let digits = String(byte, radix: 16, uppercase: true)
                result += "%" + (digits.count == 1 ? "0" : "") + digits
            }
        }
        return result
    }

    static func query(_ items: [(String, String)]) -> String {
        items.map { (encoded($0.0), encoded($0.1)) }.sorted { $0 < $1 }.map { $0.0 + "=" + $0.1 }.joined(separator: "&")
    }

    /// The headers to send, the signature among them.
    func headers(
        _ method: String, host: String, path: String, query: String, headers: [(String, String)], body: [UInt8],
        at time: Timestamp
    ) throws(AiboxError) -> [(String, String)] {
        let stamp = time.rfc3339.prefix(19).filter { $0 != "-" && $0 != ":" } + "Z"
        let day = stamp.prefix(8)
        let payload = try SHA256.digest(body).hex
        var all = headers.map { ($0.0.lowercased(), $0.1) }
        all += [("host", host), ("x-amz-date", stamp), ("x-amz-content-sha256", payload)]
        if let sessionToken { all.append(("x-amz-security-token", sessionToken)) }
        all.sort { $0.0 < $1.0 }
        let names = all.map(\.0).joined(separator: ";")
        let canonical = [
            method, path, query, all.map { $0.0 + ":" + $0.1 + "\n" }.joined(), names, payload,
        ].joined(separator: "\n")
        let scope = "\(day)/\(region)/s3/aws4_request"
        let text = "AWS4-HMAC-SHA256\n\(stamp)\n\(scope)\n\(try SHA256.digest(canonical).hex)"
        var key = Array("AWS4\(secret)".utf8)
        for part in [String(day), region, "s3", "aws4_request"] {
            key = try HMACSHA256.authenticate(Array(part.utf8), key: key).bytes
        }
        let signature = try HMACSHA256.authenticate(Array(text.utf8), key: key).hex
        let credential = "AWS4-HMAC-SHA256 Credential=\(keyID)/\(scope), SignedHeaders=\(names), Signature=\(signature)"
        return all.filter { $0.0 != "host" } + [("authorization", credential)]
    }
}
