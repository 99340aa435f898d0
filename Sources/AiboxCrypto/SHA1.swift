public import AiboxSystem
import COpenSSL

/// SHA-1 (FIPS 180-4), broken as a promise of origin: only for file formats that have it as their checksum.
public enum SHA1 {
    /// 20 bytes.
    public static func checksum(_ bytes: [UInt8]) throws(AiboxError) -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: 20)
        var count = digest.count
        try OpenSSL.require(
            EVP_Q_digest(nil, "SHA1", nil, bytes, bytes.count, &digest, &count), "cannot compute SHA-1")
        return digest
    }
}
