import Testing

@testable import AiboxWire

@Suite("What aibox asks of Docker's runtime")
struct RuntimeRequestTests {
    private static func request(mapsCaller: Bool = true) -> RuntimeRequest {
        RuntimeRequest(
            container: "aibox-t", runtime: ["/state/runsc", "--platform=systrap"], networkNamespace: "/proc/7/ns/net",
            networkIdentity: "4:4026532000", mapsCaller: mapsCaller, plainMounts: ["/workspace", "/home/dev"],
            seccompErrno: 38, files: [RuntimeRequest.File(source: "/state/key", target: "/run/aibox/key")])
    }

    /// What Docker makes of our argv.
    private static func given() throws -> JSONValue {
        try JSONParser.parse(
            """
            {"process": {"user": {"uid": 1000, "gid": 1000}, "capabilities": {}, "noNewPrivileges": true},
             "root": {"path": "r", "readonly": true},
             "mounts": [{"destination": "/workspace", "type": "bind", "source": "/w", "options": ["rbind", "rprivate"]},
                        {"destination": "/home/dev", "type": "bind", "source": "/v", "options": ["rbind", "nosuid"]},
                        {"destination": "/proc", "type": "proc", "source": "proc"}],
             "hooks": {"prestart": [{"path": "/proc/9/exe"}]},
             "linux": {"seccomp": {"defaultAction": "SCMP_ACT_ERRNO"}, "sysctl": {"net.ipv4.ip_unprivileged_port_start": "0"},
                       "namespaces": [{"type": "mount"}, {"type": "network"}, {"type": "uts"}, {"type": "pid"}, {"type": "ipc"}]}}
            """)
    }

    @Test("it is read back as it was written")
    func roundTrip() throws {
        for maps in [true, false] {
            let request = Self.request(mapsCaller: maps)
            #expect(try RuntimeRequest(json: JSONParser.parse(request.json.bytes)) == request)
        }
    }

    @Test("the container gets namespace, users, nosuid, nodev and files, and loses Docker's hook")
    func applied() throws {
        let oci = try Self.request().applied(to: Self.given())
        let namespaces = oci["linux"]?["namespaces"]?.elements ?? []
        #expect(namespaces.contains(["type": "network", "path": "/proc/7/ns/net"]))
        #expect(namespaces.contains(["type": "user"]))
        #expect(namespaces.count == 6)
        #expect(oci["hooks"] == nil)
        #expect(oci["linux"]?["sysctl"] == nil)
        #expect(oci["linux"]?["seccomp"]?["defaultErrnoRet"] == 38)
        let mounts = oci["mounts"]?.elements ?? []
        #expect(mounts[0]["options"] == ["rbind", "rprivate", "nosuid", "nodev"])
        #expect(mounts[1]["options"] == ["rbind", "nosuid", "nodev"])
        #expect(mounts[2]["options"] == nil)
        #expect(mounts[3]["source"] == "/state/key" && mounts[3]["options"]?.elements?.contains("ro") == true)
        #expect(oci["process"] == (try Self.given())["process"])
    }

    @Test("every id has exactly one place outside, and 1000 is the caller")
    func mapping() {
        var outside: Set<Int64> = []
        for row in RuntimeRequest.mappings {
            for id in row.outside..<row.outside + row.count { #expect(outside.insert(id).inserted) }
        }
        #expect(outside == Set(0..<Int64(RuntimeRequest.neededIDs)))
        #expect(RuntimeRequest.mappings.contains { $0 == (1000, 0, 1) })
    }

    @Test("rootful, nobody is mapped")
    func rootful() throws {
        let oci = try Self.request(mapsCaller: false).applied(to: Self.given())
        #expect(oci["linux"]?["uidMappings"] == nil)
        #expect(oci["linux"]?["namespaces"]?.elements?.count == 5)
    }

    struct Change: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var path: [String]
        var value: JSONValue?
    }

    @Test(
        "a container that lacks what docker was told is not begun",
        arguments: [
            Change(testDescription: "root", path: ["process", "user", "uid"], value: 0),
            Change(testDescription: "capability", path: ["process", "capabilities", "bounding"], value: ["CAP_KILL"]),
            Change(testDescription: "privileges", path: ["process", "noNewPrivileges"], value: nil),
            Change(testDescription: "writable root", path: ["root", "readonly"], value: false),
            Change(testDescription: "no seccomp", path: ["linux", "seccomp"], value: nil),
            Change(testDescription: "a device", path: ["linux", "devices"], value: [["path": "/dev/kvm"]]),
            Change(testDescription: "no namespaces", path: ["linux", "namespaces"], value: []),
            Change(
                testDescription: "another's namespace", path: ["linux", "namespaces"],
                value: [
                    ["type": "mount"], ["type": "network", "path": "/proc/1/ns/net"], ["type": "uts"], ["type": "pid"],
                    ["type": "ipc"],
                ]),
            Change(
                testDescription: "the host's processes", path: ["linux", "namespaces"],
                value: [["type": "mount"], ["type": "network"], ["type": "uts"], ["type": "ipc"]]),
            Change(
                testDescription: "users mapped by the daemon", path: ["linux", "namespaces"],
                value: [
                    ["type": "mount"], ["type": "network"], ["type": "uts"], ["type": "pid"], ["type": "ipc"],
                    ["type": "user"],
                ]),
            Change(testDescription: "no workspace", path: ["mounts"], value: []),
            Change(testDescription: "no linux", path: ["linux"], value: nil),
        ])
    func refused(change: Change) throws {
        let broken = Self.set(try Self.given(), change.path[...], change.value)
        #expect(throws: WireError.self) { try Self.request().applied(to: broken) }
    }

    private static func set(_ json: JSONValue, _ path: ArraySlice<String>, _ value: JSONValue?) -> JSONValue {
        guard let name = path.first, case .object(var object) = json else { return json }
        object[name] = path.count == 1 ? value : set(object[name] ?? [:], path.dropFirst(), value)
        return .object(object)
    }

    @Test(
        "a request that makes no sense is refused",
        arguments: [
            ("runtime", JSONValue.array([])), ("runtime", ["runsc"]), ("networkNamespace", "proc"), ("mapsCaller", 1),
            ("more", 1), ("files", [["source": "a", "target": "/b"]]),
        ] as [(String, JSONValue)])
    func nonsense(name: String, value: JSONValue) throws {
        guard case .object(var object) = Self.request().json else { return }
        object[name] = value
        #expect(throws: WireError.self) { try RuntimeRequest(json: .object(object)) }
    }
}
