// swift-tools-version: 6.2
import PackageDescription

let strict: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .treatAllWarnings(as: .error),
]

let package = Package(
    name: "aibox",
    products: [
        .library(name: "Rego", targets: ["Rego"])
    ],
    targets: [
        .target(name: "Rego", swiftSettings: strict),
        .executableTarget(name: "rego-conformance", dependencies: ["Rego"], swiftSettings: strict),
        .testTarget(name: "RegoTests", dependencies: ["Rego"], swiftSettings: strict),
    ]
)
