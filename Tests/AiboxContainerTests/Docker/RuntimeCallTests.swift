import AiboxSystem
import AiboxTestSupport
import AiboxWire
import Glibc
import Testing

@testable import AiboxContainer
@testable import aibox_docker_runtime

@Suite("aibox's runtime for Docker")
struct RuntimeCallTests {
    private static let id = String(repeating: "0a", count: 32)
    private static let global = ["--root", "/r", "--log", "/l", "--log-format", "json", "--systemd-cgroup"]

    @Test("the steps of a container's life are understood")
    func steps() throws {
        let create = try #require(
            RuntimeCall(Self.global + ["create", "--bundle", "/b", "--pid-file", "/b/init.pid", Self.id]))
        #expect(create.command == "create" && create.id == Self.id && create.bundle == "/b")
        for words in [["start"], ["state"], ["delete", "--force"], ["kill", "--all"], ["ps", "--format", "json"]] {
            #expect(RuntimeCall(Self.global + words + [Self.id])?.id == Self.id)
        }
        #expect(RuntimeCall(Self.global + ["kill", Self.id, "9"])?.id == Self.id)
    }

    @Test(
        "everything else is not",
        arguments: [
            [], ["exec", id], ["run", "--bundle", "/b", id], ["create", id], ["create", "--bundle", "b", id], ["start"],
            ["start", "../../x"], ["start", "aibox-t"], ["checkpoint", id], ["update", id], ["--root"],
            ["start", id, String(repeating: "b", count: 64)],
        ])
    func refused(words: [String]) { #expect(RuntimeCall(words) == nil) }

    /// A folder of requests, a bundle, and a runtime that only says what it was asked.
    private struct Bench {
        let folder: TemporaryFolder
        let requests: DockerRequests
        var request: RuntimeRequest

        init() throws {
            folder = try TemporaryFolder()
            requests = DockerRequests(folder: folder.path + "/docker")
            request = RuntimeRequest(
                container: "aibox-t", runtime: ["/bin/echo", "ran"], networkNamespace: "/proc/\(getpid())/ns/net",
                networkIdentity: try RuntimeRequest.identity("/proc/self/ns/net"), mapsCaller: false,
                plainMounts: ["/workspace"], seccompErrno: 38, files: [])
            try folder.write(
                "bundle/config.json",
                """
                {"process": {"user": {"uid": 1000}, "capabilities": {}, "noNewPrivileges": true},
                 "root": {"path": "r", "readonly": true}, "mounts": [{"destination": "/workspace", "type": "bind"}],
                 "linux": {"seccomp": {"defaultAction": "SCMP_ACT_ERRNO"},
                           "namespaces": [{"type": "mount"}, {"type": "network"}, {"type": "uts"}, {"type": "pid"}, {"type": "ipc"}]}}
                """)
        }

        func call(_ words: String...) throws -> CommandResult { try call(words) }

        func call(_ words: [String]) throws -> CommandResult {
            let own = try #require(Path.real("/proc/self/exe"))
            return try SystemCommandRunner().run(
                Command(
                    Path.parent(own) + "/aibox-docker-runtime",
                    [requests.folder, "--log", folder.path + "/log"] + words))
        }

        func create() throws -> CommandResult {
            try call("create", "--bundle", folder.path + "/bundle", RuntimeCallTests.id)
        }
    }

    @Test("a container is begun once, with what was asked for, and by the runtime that was named")
    func once() throws {
        let bench = try Bench()
        try bench.requests.write(bench.request, for: Self.id)
        let made = try bench.create()
        #expect(made.succeeded && made.text.hasPrefix("ran --log "), "\(made.errorText)")
        let oci = try JSONParser.parse(try File.read(bench.folder.path + "/bundle/config.json"))
        let network = oci["linux"]?["namespaces"]?.elements?.first { $0["type"] == "network" }
        #expect(network?["path"]?.stringValue == bench.request.networkNamespace)
        #expect(try bench.requests.bundle(Self.id) == bench.folder.path + "/bundle")
        #expect(try bench.call("start", Self.id).succeeded)
        let again = try bench.create()
        #expect(!again.succeeded && again.errorText.contains("again"))
        #expect(!(try bench.call("exec", "--process", "/p", Self.id).succeeded))
    }

    @Test("without a request nothing runs, and the reason is where Docker looks for it")
    func noRequest() throws {
        let bench = try Bench()
        try Folder.makePrivate(bench.requests.folder)
        for _ in 0..<2 { #expect(!(try bench.create().succeeded)) }
        let line = try #require(try File.text(bench.folder.path + "/log").split(separator: "\n").first)
        #expect(try JSONParser.parse(String(line))["msg"]?.stringValue?.contains("did not ask") == true)
    }

    @Test("what another version of aibox asked for can be ended but not begun")
    func otherVersion() throws {
        let bench = try Bench()
        try Folder.makePrivate(bench.requests.folder)
        let file = "\(bench.requests.folder)/\(Self.id).json"
        try File.replace(
            file, with: "{\"container\": \"aibox-t\", \"runtime\": [\"/bin/echo\", \"ran\"], \"later\": 1}")
        for words in [["state"], ["kill", "--all"], ["delete", "--force"]] {
            let ended = try bench.call(words + [Self.id])
            #expect(ended.succeeded && ended.text.hasPrefix("ran --log "), "\(words): \(ended.errorText)")
        }
        #expect(!(try bench.create().succeeded))
        #expect(!(try bench.call("start", Self.id).succeeded))
        for runtime in ["[]", "[\"echo\"]", "\"/bin/echo\""] {
            try File.replace(file, with: "{\"runtime\": \(runtime)}")
            #expect(!(try bench.call("delete", Self.id).succeeded), "\(runtime)")
        }
    }

    @Test("a container's requests are forgotten whatever lies beside them")
    func forgotten() throws {
        let bench = try Bench()
        let other = String(repeating: "0b", count: 32)
        let older = String(repeating: "0c", count: 32)
        try bench.requests.write(bench.request, for: Self.id)
        try File.replace("\(bench.requests.folder)/\(Self.id).bundle", with: "/b")
        var request = bench.request
        request.container = "aibox-t2"
        try bench.requests.write(request, for: other)
        try File.replace("\(bench.requests.folder)/\(older).json", with: "{\"container\": \"aibox-t\", \"old\": 1}")
        try File.replace("\(bench.requests.folder)/damaged.json", with: "{\"container\": \"aibox-t")
        // As seen by a command whose neighbour removes the file after the folder was listed.
        #expect(symlink("gone", bench.requests.folder + "/removed.json") == 0)
        try bench.requests.forget("aibox-t")
        #expect(try Folder.names(bench.requests.folder) == ["\(other).json", "damaged.json", "removed.json"])
    }

    @Test("a request that others can change, or whose namespace is another by now, is refused")
    func unsafe() throws {
        var bench = try Bench()
        let file = "\(bench.requests.folder)/\(Self.id).json"
        bench.request.networkIdentity = "1:2"
        try bench.requests.write(bench.request, for: Self.id)
        #expect(try bench.create().errorText.contains("namespace is gone"))
        bench.request.networkIdentity = try RuntimeRequest.identity("/proc/self/ns/net")
        try bench.requests.write(bench.request, for: Self.id)
        #expect(chmod(file, 0o644) == 0)
        #expect(try bench.create().errorText.contains("not this user's alone"))
        #expect(chmod(file, 0o600) == 0 && chmod(bench.requests.folder, 0o755) == 0)
        #expect(try bench.create().errorText.contains("not this user's alone"))
        #expect(chmod(bench.requests.folder, 0o700) == 0)
        try File.replace(bench.folder.path + "/bundle/config.json", with: "{\"linux\": 1e999}")
        #expect(!(try bench.create().succeeded))
    }
}
