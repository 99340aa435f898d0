public import AiboxSystem
import COpenSSL

/// scrypt (RFC 7914): a key from a passphrase, at a price in time and memory for who guesses.
public struct Scrypt: Sendable, Equatable {
    /// N, a power of two; memory is 128 · N · r bytes.
    public var cost: UInt64
    /// r
    public var blockSize: UInt64
    /// p
    public var parallelism: UInt64

    public init(cost: UInt64 = 1 << 17, blockSize: UInt64 = 8, parallelism: UInt64 = 1) {
        self.cost = cost
        self.blockSize = blockSize
        self.parallelism = parallelism
    }

    /// Whether the price is worth asking for and can be paid: N from 2^14 to 2^20, at most 1 GiB.
    public var isReasonable: Bool {
        cost >= 1 << 14 && cost <= 1 << 20 && cost.nonzeroBitCount == 1 && blockSize == 8
            && (1...4).contains(parallelism)
    }

    /// - Throws: also where the memory cannot be had.
    public func derive(
        _ passphrase: UnsafeRawBufferPointer, salt: [UInt8], count: Int
    ) throws(AiboxError) -> SecretBytes {
        let key = try SecretBytes(count: count)
        let memory = 128 * blockSize * (cost + parallelism + 2) + 1 << 20
        let result = EVP_PBE_scrypt(
            passphrase.baseAddress?.assumingMemoryBound(to: CChar.self), passphrase.count, salt, salt.count, cost,
            blockSize, parallelism, memory, key.bytes.baseAddress?.assumingMemoryBound(to: UInt8.self), count)
        try OpenSSL.require(result, "cannot derive a key from the passphrase")
        return key
    }
}
