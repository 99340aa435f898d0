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

let nio: [Target.Dependency] = [
    .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOPosix", package: "swift-nio"),
]

let package = Package(
    name: "aibox",
    products: [
        .executable(name: "aibox", targets: ["aibox"]),
        .executable(name: "aibox-gateway", targets: ["aibox-gateway"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
    ],
    targets: [
        // Executables: thin.
        .executableTarget(
            name: "aibox",
            dependencies: [argumentParser, "AiboxConfig", "AiboxSystem"],
            swiftSettings: strict
        ),

        // Domains.
        .target(name: "AiboxConfig", dependencies: ["AiboxSystem", "CYaml"], swiftSettings: strict),
        .executableTarget(name: "aibox-gateway", dependencies: ["AiboxGateway"], swiftSettings: strict),

        // Domains.
        .target(name: "AiboxContainer", dependencies: ["AiboxSystem", "AiboxWire"], swiftSettings: strict),
        .target(
            name: "AiboxGateway", dependencies: ["AiboxSystem", "AiboxWire", "CLinux"] + nio, swiftSettings: strict),

        .target(
            name: "AiboxAudit", dependencies: ["AiboxCrypto", "AiboxState", "AiboxSystem", "AiboxWire"],
            swiftSettings: strict),

        // Leaves.
        .target(name: "AiboxWire", swiftSettings: strict),
        .target(name: "AiboxSystem", dependencies: ["CLinux"], swiftSettings: strict),
        .target(name: "AiboxCrypto", dependencies: ["AiboxSystem", "COpenSSL"], swiftSettings: strict),
        .target(name: "AiboxState", dependencies: ["AiboxSystem", "CSQLite"], swiftSettings: strict),

        // C: shims where Swift cannot reach, and system libraries.
        .target(name: "CLinux"),
        .systemLibrary(name: "COpenSSL", pkgConfig: "openssl", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(name: "CYaml", pkgConfig: "yaml-0.1", providers: [.apt(["libyaml-dev"])]),
        .systemLibrary(name: "CSQLite", pkgConfig: "sqlite3", providers: [.apt(["libsqlite3-dev"])]),

        // Tests.
        .testTarget(
            name: "AiboxConfigTests", dependencies: ["AiboxConfig", "AiboxSystem", "AiboxTestSupport"],
            swiftSettings: strict),
        .target(name: "AiboxTestSupport", dependencies: ["AiboxSystem"], swiftSettings: strict),
        .testTarget(
            name: "AiboxSystemTests", dependencies: ["AiboxSystem", "AiboxTestSupport"], swiftSettings: strict),
        .executableTarget(
            name: "AiboxAuditWriter", dependencies: ["AiboxAudit", "AiboxSystem", "AiboxWire"],
            path: "Tests/AiboxAuditWriter", swiftSettings: strict),
        .testTarget(
            name: "AiboxAuditTests",
            dependencies: [
                "AiboxAudit", "AiboxAuditWriter", "AiboxCrypto", "AiboxState", "AiboxSystem", "AiboxTestSupport",
                "AiboxWire",
            ], swiftSettings: strict),
        .testTarget(
            name: "AiboxCryptoTests", dependencies: ["AiboxCrypto", "AiboxSystem"], swiftSettings: strict),
        .testTarget(
            name: "AiboxStateTests", dependencies: ["AiboxState", "AiboxSystem", "AiboxTestSupport"],
            swiftSettings: strict),
        .testTarget(name: "AiboxWireTests", dependencies: ["AiboxWire"], swiftSettings: strict),
        .testTarget(
            name: "AiboxGatewayTests",
            dependencies: [
                "AiboxContainer", "AiboxGateway", "AiboxSystem", "AiboxTestSupport", "AiboxWire", "aibox-gateway",
            ], swiftSettings: strict),
    ]
)
