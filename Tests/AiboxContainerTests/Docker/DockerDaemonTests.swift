import AiboxSystem
import AiboxTestSupport
import AiboxWire
import Glibc
import Testing

@testable import AiboxContainer

@Suite("Docker's daemon")
struct DockerDaemonTests {
    private static let runtime: JSONValue = ["path": "/p/aibox-docker-runtime", "runtimeArgs": ["/s/docker"]]

    private static func info(_ options: [String], _ runtime: JSONValue? = DockerDaemonTests.runtime) -> JSONValue {
        var runtimes: JSONObject = ["runc": ["path": "runc"]]
        runtimes["aibox"] = runtime
        return [
            "ServerVersion": "20.10.24", "SecurityOptions": .array(options.map(JSONValue.string)),
            "Runtimes": .object(runtimes),
        ]
    }

    struct Row: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var info: JSONValue
        var isRoot: Bool
        var problem: String?
    }

    static let rows = [
        Row(testDescription: "rootless, as its user", info: info(["name=seccomp", "name=rootless"]), isRoot: false),
        Row(testDescription: "rootful, as root", info: info(["name=seccomp,profile=default"]), isRoot: true),
        Row(testDescription: "rootful, as a user", info: info([]), isRoot: false, problem: "not for this user"),
        Row(testDescription: "rootless, as root", info: info(["name=rootless"]), isRoot: true, problem: "not for this"),
        Row(
            testDescription: "userns-remap", info: info(["name=userns"]), isRoot: true,
            problem: "cannot use this Docker daemon"),
        Row(
            testDescription: "no runtime", info: info(["name=rootless"], nil), isRoot: false,
            problem: "does not know aibox's runtime"),
        Row(
            testDescription: "the runtime of somebody's choice",
            info: info(["name=rootless"], ["path": "/tmp/evil", "runtimeArgs": ["/s/docker"]]), isRoot: false,
            problem: "does not know aibox's runtime"),
        Row(
            testDescription: "requests of another folder",
            info: info(["name=rootless"], ["path": "/p/aibox-docker-runtime", "runtimeArgs": ["/tmp"]]), isRoot: false,
            problem: "does not know aibox's runtime"),
    ]

    @Test("one that cannot keep the promises is refused", arguments: rows)
    func requirements(row: Row) throws {
        let registration = DockerRegistration(
            command: ["/p/aibox-docker-runtime", "/s/docker"], file: "/f/daemon.json", isRoot: row.isRoot)
        let daemon = try DockerDaemon(info: row.info)
        guard let problem = row.problem else { return try daemon.require(registration, isRoot: row.isRoot) }
        let error = try #require(throws: AiboxError.self) { try daemon.require(registration, isRoot: row.isRoot) }
        #expect(error.code == .layerMissing && error.what.contains(problem) && error.remedy != nil)
    }

    @Test("settings for a daemon without any are JSON that names program and folder")
    func registration() throws {
        let command = ["/p/aibox-docker-runtime", "/s/with \"quote\""]
        let registration = DockerRegistration(command: command, file: "/f", isRoot: false)
        let json = try JSONParser.parse(registration.text)
        let daemon = try DockerDaemon(info: [
            "ServerVersion": "1", "SecurityOptions": [], "Runtimes": json["runtimes"] ?? .null,
        ])
        #expect(daemon.runtime == command)
    }

    @Test("somebody's settings are left alone, and what to add is said")
    func settings() throws {
        let folder = try TemporaryFolder()
        let file = try folder.write("daemon.json", "{}")
        let registration = DockerRegistration(command: ["/p", "/s"], file: file, isRoot: false)
        let error = try #require(throws: AiboxError.self) { try registration.write(daemon: -1) }
        #expect(error.remedy?.contains("\"path\": \"/p\"") == true)
        #expect(try File.text(file) == "{}")
    }

    @Test(
        "a daemon of another machine is refused",
        arguments: ["tcp://10.0.0.1:2375", "ssh://h", "unix://relative", "", "npipe:////./pipe/docker"])
    func elsewhere(host: String) {
        #expect(throws: AiboxError.self) { try DockerSocket(host: host) }
    }

    @Test("the process that listens is found, and nobody listening is an error")
    func process() throws {
        let folder = try TemporaryFolder()
        let listening = try UnixSocket.listen(folder: folder.path, name: "d.sock")
        #expect(try DockerSocket(path: folder.path + "/d.sock").daemon(isRoot: false) == getpid())
        listening.close()
        #expect(throws: AiboxError.self) { try DockerSocket(path: folder.path + "/d.sock").daemon(isRoot: false) }
    }

    @Test("requests and files are forgotten by container, and are this user's alone")
    func requests() throws {
        let folder = try TemporaryFolder()
        let requests = DockerRequests(folder: folder.path + "/docker")
        let ids = ["a", "b"].map { String(repeating: $0, count: 64) }
        for (id, name) in zip(ids, ["aibox-a", "aibox-ab"]) {
            let request = RuntimeRequest(
                container: name, runtime: ["/r"], networkNamespace: "/proc/7/ns/net", networkIdentity: "1:2",
                mapsCaller: true, plainMounts: ["/workspace"], seccompErrno: 38, files: [])
            try requests.write(request, for: id)
            #expect(try requests.request(id) == request)
            var facts = stat()
            #expect(stat("\(requests.folder)/\(id).json", &facts) == 0 && facts.st_mode & 0o777 == 0o600)
        }
        try requests.forget("aibox-a")
        #expect(try Folder.names(requests.folder) == [ids[1] + ".json"])
        try requests.keep("aibox-a-hostkey-0", [1], mode: 0o400)
        var facts = stat()
        #expect(stat(requests.file("aibox-a-hostkey-0"), &facts) == 0 && facts.st_mode & 0o777 == 0o400)
        #expect(facts.st_uid == (geteuid() == 0 ? 1000 : geteuid()))
        #expect(stat(requests.folder, &facts) == 0 && facts.st_mode & 0o777 == 0o700)
    }
}
