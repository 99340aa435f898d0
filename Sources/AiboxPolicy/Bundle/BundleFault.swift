/// Why a bundle cannot be used, in words that follow `cannot use the bundle NAME:`.
struct BundleFault: Error, Equatable {
    let why: String

    init(_ why: String) { self.why = why }
}

/// A file of a bundle.
struct BundleFile: Sendable, Equatable {
    /// Relative, its parts separated by single slashes: `rules/night.rego`.
    var name: String
    var bytes: [UInt8]
}
