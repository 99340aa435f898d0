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
            dependencies: [argumentParser, "AiboxConfig", "AiboxSystem"],
            swiftSettings: strict
        ),

        // Domains.
        .target(name: "AiboxConfig", dependencies: ["AiboxEmbedded", "AiboxSystem", "CYaml"], swiftSettings: strict),

        // Leaves.
        .target(name: "AiboxEmbedded", dependencies: ["CEmbedded"], swiftSettings: strict),
        .target(name: "AiboxSystem", dependencies: ["CLinux"], swiftSettings: strict),

        // C: shims where Swift cannot reach, and system libraries.
        .target(name: "CEmbedded"),
        .target(name: "CLinux"),
        .systemLibrary(name: "CYaml", pkgConfig: "yaml-0.1", providers: [.apt(["libyaml-dev"])]),

        // Tests.
        .testTarget(
            name: "AiboxEmbeddedTests", dependencies: ["AiboxEmbedded", "AiboxSystem"], swiftSettings: strict),
        .testTarget(
            name: "AiboxConfigTests", dependencies: ["AiboxConfig", "AiboxSystem", "AiboxTestSupport"],
            swiftSettings: strict),
        .target(name: "AiboxTestSupport", dependencies: ["AiboxSystem"], swiftSettings: strict),
        .testTarget(
            name: "AiboxSystemTests", dependencies: ["AiboxSystem", "AiboxTestSupport"], swiftSettings: strict),
    ]
)
