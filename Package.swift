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

func program(_ name: String, uses: [Target.Dependency]) -> Target {
    .executableTarget(name: name, dependencies: uses, swiftSettings: strict)
}

func room(_ name: String, uses: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: uses, swiftSettings: strict)
}

func tests(_ name: String, uses: [Target.Dependency], exclude: [String] = []) -> Target {
    .testTarget(name: name, dependencies: uses + ["AiboxTestSupport"], exclude: exclude, swiftSettings: strict)
}

func system(_ name: String, _ pkgConfig: String, _ package: String) -> Target {
    .systemLibrary(name: name, pkgConfig: pkgConfig, providers: [.apt([package])])
}

let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let nio: [Target.Dependency] = [
    .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOPosix", package: "swift-nio"),
]

let package = Package(
    name: "aibox",
    products: [
        .executable(name: "aibox", targets: ["aibox"]),
        .executable(name: "aibox-credential-helper", targets: ["aibox-credential-helper"]),
        .executable(name: "aibox-docker-runtime", targets: ["aibox-docker-runtime"]),
        .executable(name: "aibox-gateway", targets: ["aibox-gateway"]),
        .executable(name: "aibox-lease-keeper", targets: ["aibox-lease-keeper"]),
        .executable(name: "aibox-llm-proxy", targets: ["aibox-llm-proxy"]),
        .executable(name: "aibox-tool-gate", targets: ["aibox-tool-gate"]),
        // The policy language on its own, for other packages.
        .library(name: "Rego", targets: ["Rego"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
    ],
    targets: [
        // Executables: thin.
        program(
            "aibox",
            uses: [
                argumentParser, "Rego", "AiboxAudit", "AiboxConfig", "AiboxContainer", "AiboxCredentials",
                "AiboxEmbedded",
                "AiboxPolicy", "AiboxState",
                "AiboxSystem",
                "AiboxWire",
            ]),
        // Started by git for every host: as little to load as there can be.
        .executableTarget(
            name: "aibox-credential-helper", dependencies: ["AiboxWire"], swiftSettings: strict,
            linkerSettings: [.unsafeFlags(["-static-executable"], .when(platforms: [.linux], configuration: .release))]),
        // Runs in sandboxes of any image, before every call of a gated program: C without a library. What C leaves undefined
        // ends it (UBSan, by a trap). No test may use the target: the linker's flags would be the tests' as well.
        .executableTarget(
            name: "aibox-tool-gate",
            cSettings: [
                .unsafeFlags([
                    "-std=gnu17", "-O2", "-Wall", "-Wextra", "-Wconversion", "-Werror", "-ffreestanding",
                    "-fno-stack-protector", "-fno-asynchronous-unwind-tables", "-ftrivial-auto-var-init=zero",
                    "-fsanitize=undefined", "-fsanitize-trap=undefined", "-fno-pic", "-fno-pie",
                ])
            ],
            linkerSettings: [
                .unsafeFlags([
                    "-static-executable", "-nostartfiles", "-Xclang-linker", "-nostdlib", "-Xclang-linker",
                    "-nostartfiles",
                    // One segment to load, and nothing to relocate.
                    "-Xlinker", "--no-rosegment", "-Xlinker", "-z", "-Xlinker", "norelro",
                ])
            ]),
        program("aibox-docker-runtime", uses: ["AiboxSystem", "AiboxWire"]),
        program("aibox-gateway", uses: ["AiboxGateway"]),
        program(
            "aibox-lease-keeper",
            uses: [
                "AiboxAudit", "AiboxConfig", "AiboxContainer", "AiboxCredentials", "AiboxSystem", "AiboxWire", "CLinux",
            ]),
        program("aibox-llm-proxy", uses: ["AiboxBroker"]),
        program("rego-conformance", uses: ["Rego"]),
        program("audit-benchmark", uses: ["AiboxAudit", "AiboxSystem", "AiboxWire"]),

        // Domains.
        room("AiboxAudit", uses: ["AiboxCrypto", "AiboxState", "AiboxSystem", "AiboxWire", "CLinux"]),
        room(
            "AiboxBroker",
            uses: [
                "AiboxAudit", "AiboxCrypto", "AiboxHTTP2", "AiboxNetwork", "AiboxSystem", "AiboxWire", "CLinux", "Rego",
            ] + nio),
        room("AiboxConfig", uses: ["AiboxEmbedded", "AiboxSystem", "AiboxWire", "CYaml"]),
        room(
            "AiboxContainer",
            uses: [
                "AiboxAudit", "AiboxConfig", "AiboxCrypto", "AiboxNetwork", "AiboxPolicy", "AiboxState",
                "AiboxSystem", "AiboxWire", "CAppArmor", "CLinux", "CSeccomp",
            ]),
        room(
            "AiboxCredentials",
            uses: ["AiboxConfig", "AiboxCrypto", "AiboxHTTP2", "AiboxNetwork", "AiboxSystem", "AiboxWire"]),
        room("AiboxNetwork", uses: ["AiboxCrypto", "AiboxSystem", "AiboxWire", "CNftnl"]),
        room(
            "AiboxPolicy",
            uses: [
                "AiboxConfig", "AiboxCrypto", "AiboxNetwork", "AiboxSystem", "AiboxWire", "CZlib", "Rego",
            ]),
        room(
            "AiboxGateway",
            uses: [
                "AiboxAudit", "AiboxCrypto", "AiboxNetwork", "AiboxPolicy", "AiboxSystem", "AiboxWire", "CLinux",
                "CSeccomp",
            ] + nio),

        // Leaves.
        room("AiboxCrypto", uses: ["AiboxSystem", "COpenSSL", "CSHA256"]),
        room("AiboxEmbedded", uses: ["CEmbedded"]),
        room("AiboxHTTP2", uses: ["CNghttp2"]),
        room("AiboxState", uses: ["AiboxSystem", "CSQLite"]),
        room("AiboxSystem", uses: ["CLinux"]),
        room("AiboxWire"),
        room("Rego"),

        // C: shims where Swift cannot reach, and system libraries.
        .target(name: "CEmbedded"),
        .target(name: "CLinux"),
        .target(name: "CSHA256"),
        system("CAppArmor", "libapparmor", "libapparmor-dev"),
        system("CNghttp2", "libnghttp2", "libnghttp2-dev"),
        system("CNftnl", "libnftnl", "libnftnl-dev"),
        system("COpenSSL", "openssl", "libssl-dev"),
        system("CSeccomp", "libseccomp", "libseccomp-dev"),
        system("CSQLite", "sqlite3", "libsqlite3-dev"),
        system("CYaml", "yaml-0.1", "libyaml-dev"),
        system("CZlib", "zlib", "zlib1g-dev"),

        // Tests.
        room("AiboxTestSupport", uses: ["AiboxSystem"]),
        .executableTarget(
            name: "AiboxAuditWriter", dependencies: ["AiboxAudit", "AiboxSystem", "AiboxWire"],
            path: "Tests/AiboxAuditWriter", swiftSettings: strict),
        .executableTarget(
            name: "AiboxCredentialsWriter", dependencies: ["AiboxCredentials", "AiboxSystem"],
            path: "Tests/AiboxCredentialsWriter", swiftSettings: strict),
        tests(
            "AiboxAuditTests",
            uses: ["AiboxAudit", "AiboxAuditWriter", "AiboxCrypto", "AiboxState", "AiboxSystem", "AiboxWire"]),
        tests(
            "AiboxBrokerTests",
            uses: [
                "AiboxAudit", "AiboxBroker", "AiboxCrypto", "AiboxNetwork", "AiboxPolicy", "AiboxSystem", "AiboxWire",
            ] + nio),
        tests(
            "AiboxCommandTests",
            uses: [
                "aibox", "aibox-credential-helper", "AiboxAudit", "AiboxConfig", "AiboxCredentials", "AiboxCrypto",
                "AiboxSystem", "AiboxWire",
            ]),
        tests("AiboxConfigTests", uses: ["AiboxConfig", "AiboxSystem"]),
        tests(
            "AiboxContainerTests",
            uses: [
                "AiboxConfig", "AiboxContainer", "AiboxEmbedded", "AiboxPolicy", "AiboxState", "AiboxSystem",
                "AiboxWire", "aibox-docker-runtime",
            ],
            exclude: ["Profiles/Probe", "Profiles/Corpus"]),
        tests(
            "AiboxCredentialsTests",
            uses: [
                "AiboxConfig", "AiboxCredentials", "AiboxCredentialsWriter", "AiboxCrypto", "AiboxHTTP2",
                "AiboxNetwork",
                "AiboxSystem", "AiboxWire",
            ]),
        tests("AiboxCryptoTests", uses: ["AiboxCrypto", "AiboxSystem"]),
        tests("AiboxEmbeddedTests", uses: ["AiboxEmbedded", "AiboxSystem"]),
        tests(
            "AiboxGatewayTests",
            uses: [
                "AiboxAudit", "AiboxContainer", "AiboxCrypto", "AiboxGateway", "AiboxNetwork", "AiboxPolicy",
                "AiboxState", "AiboxSystem",
                "AiboxWire",
                "CLinux", "aibox-gateway",
            ]),
        tests("AiboxHTTP2Tests", uses: ["AiboxHTTP2"]),
        tests("AiboxNetworkTests", uses: ["AiboxNetwork", "AiboxSystem", "CNftnl"], exclude: ["Golden"]),
        tests(
            "AiboxPolicyTests",
            uses: [
                "AiboxConfig", "AiboxCrypto", "AiboxEmbedded", "AiboxNetwork", "AiboxPolicy", "AiboxSystem",
                "AiboxWire", "Rego",
            ]),
        tests("AiboxStateTests", uses: ["AiboxState", "AiboxSystem"]),
        tests("AiboxSystemTests", uses: ["AiboxSystem"]),
        tests("RegoTests", uses: ["Rego"]),
        tests(
            "SandboxTests",
            uses: [
                "AiboxConfig", "AiboxContainer", "AiboxCrypto", "AiboxSystem", "AiboxWire", "CLinux", "aibox",
                "aibox-docker-runtime",
                "aibox-gateway",
            ]),
        tests("AiboxWireTests", uses: ["AiboxWire"]),
    ]
)
