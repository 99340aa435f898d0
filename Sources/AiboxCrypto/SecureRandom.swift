public import AiboxSystem
import COpenSSL

/// Random bytes of the library's generator, fit for keys.
public enum SecureRandom {
    public static func bytes(_ count: Int) throws(AiboxError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        try OpenSSL.require(RAND_bytes(&bytes, Int32(count)), "cannot get random bytes")
        return bytes
    }

    public static func fill(_ secret: SecretBytes) throws(AiboxError) {
        let bytes = secret.bytes
        try OpenSSL.require(
            RAND_priv_bytes(bytes.baseAddress?.assumingMemoryBound(to: UInt8.self), Int32(bytes.count)),
            "cannot get random bytes")
    }
}

/// Comparison whose time does not tell where two values differ.
public enum ConstantTime {
    public static func equal(_ left: [UInt8], _ right: [UInt8]) -> Bool {
        left.count == right.count && CRYPTO_memcmp(left, right, left.count) == 0
    }

    public static func equal(_ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer) -> Bool {
        left.count == right.count && CRYPTO_memcmp(left.baseAddress, right.baseAddress, left.count) == 0
    }

    public static func equal(_ left: Digest256, _ right: Digest256) -> Bool {
        left.withUnsafeBytes { left in
            right.withUnsafeBytes { CRYPTO_memcmp(left.baseAddress, $0.baseAddress, left.count) == 0 }
        }
    }
}
