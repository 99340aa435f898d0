public import AiboxSystem
import COpenSSL
import Glibc

/// Bytes of a key: kept out of swap and core dumps where the kernel lets us, overwritten when dropped.
public final class SecretBytes {
    /// The storage; valid only while somebody holds this object, so never ask a temporary for it.
    public let bytes: UnsafeMutableRawBufferPointer

    /// Zeros.
    public init(count: Int) throws(AiboxError) {
        bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: max(count, 1), alignment: 16)
        bytes.initializeMemory(as: UInt8.self, repeating: 0)
        // Best effort: an ordinary user may lock only so much (RLIMIT_MEMLOCK).
        mlock(bytes.baseAddress, bytes.count)
    }

    public convenience init(_ source: some Collection<UInt8>) throws(AiboxError) {
        try self.init(count: source.count)
        bytes.copyBytes(from: source)
    }

    /// A copy of a part of another secret.
    public convenience init(copying other: SecretBytes, _ range: Range<Int>? = nil) throws(AiboxError) {
        let range = range ?? 0..<other.bytes.count
        try self.init(count: range.count)
        bytes.copyMemory(from: UnsafeRawBufferPointer(rebasing: other.readable[range]))
    }

    /// Replaces the bytes from `offset` on by those of another secret.
    public func replace(at offset: Int = 0, with other: SecretBytes) {
        UnsafeMutableRawBufferPointer(rebasing: bytes[offset..<offset + other.bytes.count])
            .copyMemory(from: other.readable)
    }

    deinit {
        wipe()
        // No munlock: it would unlock the whole page, and with it a neighbour's key.
        bytes.deallocate()
    }

    /// The storage for reading; valid only while somebody holds this object.
    public var readable: UnsafeRawBufferPointer { UnsafeRawBufferPointer(bytes) }

    /// Overwrites them now, in a way the compiler may not drop.
    public func wipe() { OPENSSL_cleanse(bytes.baseAddress, bytes.count) }
}

extension [UInt8] {
    /// Overwrites the bytes in a way the compiler may not drop. Copies that were made of the array stay.
    public mutating func wipe() {
        withUnsafeMutableBytes { OPENSSL_cleanse($0.baseAddress, $0.count) }
    }
}
