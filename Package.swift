// swift-tools-version: 6.2
// The rooms of the house and who may use whom: docs/architecture.md.
import PackageDescription

let strict: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .treatAllWarnings(as: .error),
]

let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")

let package = Package(
    name: "aibox",
    products: [
        .executable(name: "aibox", targets: ["aibox"])
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2")
    ],
    targets: [
        // Executables: thin.
        .executableTarget(
            name: "aibox",
            dependencies: [argumentParser, "AiboxSystem"],
            swiftSettings: strict
        ),

        // Leaves.
        .target(name: "AiboxSystem", dependencies: ["CLinux"], swiftSettings: strict),

        // Network.
        .target(name: "AiboxNetwork", dependencies: ["AiboxSystem", "CNftnl"], swiftSettings: strict),

        // C: shims where Swift cannot reach, and system libraries.
        .target(name: "CLinux"),
        .systemLibrary(name: "CNftnl", pkgConfig: "libnftnl", providers: [.apt(["libnftnl-dev", "libmnl-dev"])]),

        // Tests.
        .target(name: "AiboxTestSupport", dependencies: ["AiboxSystem"], swiftSettings: strict),
        .testTarget(
            name: "AiboxSystemTests", dependencies: ["AiboxSystem", "AiboxTestSupport"], swiftSettings: strict),
        .testTarget(
            name: "AiboxNetworkTests", dependencies: ["AiboxNetwork", "AiboxSystem", "AiboxTestSupport"],
            exclude: ["Golden"], swiftSettings: strict),
    ]
)
