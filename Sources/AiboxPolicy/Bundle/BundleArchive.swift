/// The packed form of a bundle: a tar archive in a gzip file, as OPA has them.
enum BundleArchive {
    /// Bytes of a packed bundle at most.
    static let largest = 16 << 20
    /// Bytes of it unpacked.
    static let largestUnpacked = 64 << 20

    static func files(_ bytes: [UInt8]) throws(BundleFault) -> [BundleFile] {
        guard bytes.count <= largest else { throw BundleFault("it is larger than \(largest >> 20) MiB") }
        return try BundleTar.read(Gzip.expand(bytes, limit: largestUnpacked))
    }

    static func pack(_ files: [BundleFile]) throws(BundleFault) -> [UInt8] {
        try Gzip.compress(BundleTar.write(files))
    }
}
