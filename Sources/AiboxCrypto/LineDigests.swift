import CSHA256

/// The hashes that checking one line of the audit log takes, computed side by side in one thread (CSHA256).
public enum LineDigests {
    /// False where the processor has no SHA instructions, or the machine's configuration names another provider than
    /// OpenSSL's default one: then `SHA256` and `HMACSHA256` compute the same, one after the other.
    public static let isAvailable = OpenSSL.hashesItself && aibox_sha256_pair_available()

    /// - Parameters:
    ///   - count: how many of the line's first bytes the MAC covers.
    ///   - key: 32 bytes.
    ///   - label: at most 23 bytes.
    ///   - successor: takes SHA-256(label || key).
    /// - Returns: SHA-256(0x00 || line), and HMAC-SHA-256 of the first bytes.
    public static func compute(
        _ line: UnsafeRawBufferPointer, authenticating count: Int, key: SecretBytes, label: [UInt8],
        successor: SecretBytes
    ) -> (leaf: Digest256, mac: Digest256)? {
        guard isAvailable, count >= 0, count <= line.count, key.readable.count == Digest256.count,
            successor.readable.count == Digest256.count, label.count <= 23
        else { return nil }
        var leaf = Digest256()
        var mac = Digest256()
        leaf.withUnsafeMutableBytes { leaf in
            mac.withUnsafeMutableBytes { mac in
                aibox_sha256_line(
                    line.baseAddress, line.count, count, key.readable.baseAddress, label, label.count,
                    leaf.baseAddress, mac.baseAddress, successor.bytes.baseAddress)
            }
        }
        return (leaf, mac)
    }
}
