import AiboxEmbedded
import AiboxWire
import Testing

@testable import AiboxContainer

@Suite("The check of the running container")
struct HardeningCheckTests {
    private static func profile() throws -> SeccompProfile {
        try SeccompProfile(parsing: try #require(EmbeddedFile.bytes("configs/seccomp/aibox.json")))
    }

    /// An OCI configuration that keeps every promise of `PodmanRunTests.spec`, less the seccomp part.
    private static func configuration() -> JSONValue {
        [
            "process": [
                "user": ["uid": 1000, "gid": 1000], "capabilities": [:], "noNewPrivileges": true,
            ],
            "root": ["path": "/r", "readonly": true],
            "mounts": [
                [
                    "destination": "/workspace", "type": "bind", "source": "/src/demo",
                    "options": ["rw", "nosuid", "nodev", "rbind"],
                ],
                [
                    "destination": "/home/dev", "type": "bind", "source": "/volumes/home",
                    "options": ["rw", "nosuid", "nodev"],
                ],
                ["destination": "/run/aibox/key", "type": "bind", "source": "/secrets/key", "options": ["ro"]],
                ["destination": "/tmp", "type": "tmpfs", "source": "tmpfs", "options": ["noexec"]],
            ],
            "linux": [
                "namespaces": [
                    ["type": "pid"], ["type": "ipc"], ["type": "uts"], ["type": "mount"], ["type": "user"],
                    ["type": "network", "path": "/proc/7/ns/net"],
                ],
                "resources": [
                    "memory": ["limit": 8_589_934_592], "pids": ["limit": 2048],
                    "cpu": ["quota": 400_000, "period": 100_000],
                ],
            ],
        ]
    }

    private static let commandLine = [
        "runsc-sandbox", "--network=sandbox", "--oci-seccomp=true", "--platform=systrap", "boot",
    ]

    private func broken(
        _ oci: JSONValue, runtime: String = "/state/runsc", commandLine: [String] = HardeningCheckTests.commandLine
    ) throws -> [String] {
        let check = HardeningCheck(spec: try PodmanRunTests.spec(), seccomp: try Self.profile())
        return check.findings(runtime: runtime, oci: oci, commandLine: commandLine, status: "")
            .filter { !$0.holds && $0.layer != "seccomp" }.map(\.layer)
    }

    @Test("a container that keeps every promise passes")
    func passes() throws { #expect(try broken(Self.configuration()) == []) }

    @Test("under Docker, who the sandbox's user is outside is looked at, too")
    func users() throws {
        let mapped: JSONValue = [
            ["containerID": 0, "hostID": 1000, "size": 1], ["containerID": 1, "hostID": 1, "size": 999],
            ["containerID": 1000, "hostID": 0, "size": 1],
        ]
        let rows: [(description: String, uids: JSONValue?, gids: JSONValue?, rootless: Bool, rootful: Bool)] = [
            ("exchanged", mapped, mapped, true, false),
            ("not mapped", nil, nil, false, true),
            ("groups are not", mapped, nil, false, false),
            ("root inside is the caller", [["containerID": 0, "hostID": 0, "size": 65536]], mapped, false, false),
        ]
        for row in rows {
            var linux: JSONObject = [:]
            linux["uidMappings"] = row.uids
            linux["gidMappings"] = row.gids
            var spec = try PodmanRunTests.spec()
            #expect(HardeningCheck.users(spec, ["linux": .object(linux)]).holds == row.rootless, "\(row.description)")
            spec.userMapping = .identity
            #expect(HardeningCheck.users(spec, ["linux": .object(linux)]).holds == row.rootful, "\(row.description)")
        }
    }

    @Test("a container without a seccomp filter does not pass")
    func seccomp() throws {
        let check = HardeningCheck(spec: try PodmanRunTests.spec(), seccomp: try Self.profile())
        let findings = check.findings(
            runtime: "/state/runsc", oci: Self.configuration(), commandLine: Self.commandLine,
            status: "")
        #expect(findings.first { $0.layer == "seccomp" }?.holds == false)
    }

    struct Change: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var breaks: String
        var path: [String]
        var value: JSONValue?
    }

    @Test(
        "one promise broken is found",
        arguments: [
            Change(testDescription: "root", breaks: "user", path: ["process", "user", "uid"], value: 0),
            Change(testDescription: "no user", breaks: "user", path: ["process", "user"], value: nil),
            Change(
                testDescription: "a capability", breaks: "capabilities", path: ["process", "capabilities", "bounding"],
                value: ["CAP_CHOWN"]),
            Change(
                testDescription: "an ambient capability", breaks: "capabilities",
                path: ["process", "capabilities", "ambient"], value: ["CAP_NET_RAW"]),
            Change(
                testDescription: "new privileges", breaks: "no-new-privileges", path: ["process", "noNewPrivileges"],
                value: false),
            Change(
                testDescription: "writable root", breaks: "root file system", path: ["root", "readonly"], value: nil),
            Change(
                testDescription: "a device", breaks: "devices", path: ["linux", "devices"],
                value: [["path": "/dev/kvm"]]),
            Change(
                testDescription: "the host's namespaces", breaks: "namespaces", path: ["linux", "namespaces"],
                value: [["type": "pid"]]),
            Change(
                testDescription: "no memory limit", breaks: "memory limit", path: ["linux", "resources", "memory"],
                value: nil),
            Change(
                testDescription: "no process limit", breaks: "process limit",
                path: ["linux", "resources", "pids", "limit"], value: 0),
            Change(
                testDescription: "half the CPUs' bound", breaks: "cpu limit",
                path: ["linux", "resources", "cpu", "quota"], value: 800_000),
            Change(
                testDescription: "a socket of the host", breaks: "mounts", path: ["mounts"],
                value: [
                    [
                        "destination": "/var/run/docker.sock", "type": "bind", "source": "/var/run/docker.sock",
                        "options": [],
                    ]
                ]),
            Change(
                testDescription: "another workspace", breaks: "mounts", path: ["mounts"],
                value: [["destination": "/workspace", "type": "bind", "source": "/", "options": ["nosuid", "nodev"]]]),
            Change(
                testDescription: "a workspace with setuid", breaks: "mounts", path: ["mounts"],
                value: [["destination": "/workspace", "type": "bind", "source": "/src/demo", "options": ["nodev"]]]),
        ])
    func oneBroken(_ change: Change) throws {
        #expect(try broken(Self.set(Self.configuration(), change.path[...], change.value)) == [change.breaks])
    }

    @Test("another runtime, platform or network mode is found")
    func engine() throws {
        #expect(try broken(Self.configuration(), runtime: "/usr/bin/crun") == ["gVisor"])
        for missing in Self.commandLine.dropFirst() {
            #expect(
                try broken(Self.configuration(), commandLine: Self.commandLine.filter { $0 != missing }) == ["gVisor"])
        }
    }

    private static func set(_ value: JSONValue, _ path: ArraySlice<String>, _ new: JSONValue?) -> JSONValue {
        guard let name = path.first, case .object(var object) = value else { return new ?? .null }
        if path.count == 1 {
            object[name] = new
        } else {
            object[name] = set(object[name] ?? [:], path.dropFirst(), new)
        }
        return .object(object)
    }
}
