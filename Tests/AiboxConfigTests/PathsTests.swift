import AiboxConfig
import AiboxSystem
import AiboxTestSupport
import Glibc
import Testing

@Suite("Paths")
struct PathsTests {
    private static let user = UserIdentity(uid: 1000, gid: 1000, name: "dev", home: "/home/dev")
    private static let root = UserIdentity(uid: 0, gid: 0, name: "root", home: "/root")

    private static func paths(
        _ identity: UserIdentity = user, _ environment: [String: String] = [:], privateFolders: Set<String> = []
    ) -> Paths {
        Paths(identity: identity, environment: environment) { path, _ in privateFolders.contains(path) }
    }

    @Test("the defaults are the documented ones")
    func defaults() throws {
        let paths = Self.paths()
        #expect(paths.userConfiguration == "/home/dev/.config/aibox/config.yaml")
        #expect(paths.systemConfiguration == "/etc/aibox/config.yaml")
        #expect(paths.orgPolicy == "/etc/aibox/org-policy.yaml")
        #expect(paths.orgRego == "/etc/aibox/policies")
        #expect(paths.sshFolder == "/home/dev/.config/aibox/ssh")
        #expect(paths.stateDatabase == "/home/dev/.local/state/aibox/state.db")
        #expect(paths.auditFolder == "/home/dev/.local/state/aibox/audit")
        #expect(try paths.runtimeFolder(sandbox: "aibox-dev-1") == "/home/dev/.local/state/aibox/run/aibox-dev-1")
    }

    @Test("the XDG variables move their folders; a relative value counts as unset")
    func xdg() {
        let moved = Self.paths(Self.user, ["XDG_CONFIG_HOME": "/c/", "XDG_STATE_HOME": "/s", "XDG_CACHE_HOME": "/k"])
        #expect(moved.userConfiguration == "/c/aibox/config.yaml")
        #expect(moved.stateFolder == "/s/aibox")
        #expect(moved.cacheFolder == "/k/aibox")
        let relative = Self.paths(Self.user, ["XDG_CONFIG_HOME": "c", "XDG_STATE_HOME": ""])
        #expect(relative == Self.paths())
    }

    @Test("the session's run-time folder is used only if it is private and ours")
    func runtime() {
        let environment = ["XDG_RUNTIME_DIR": "/run/user/1000"]
        let ours: Set = ["/run/user/1000"]
        #expect(Self.paths(Self.user, environment, privateFolders: ours).runtimeRoot == "/run/user/1000/aibox")
        #expect(Self.paths(Self.user, environment).runtimeRoot == "/home/dev/.local/state/aibox/run")
        #expect(Self.paths(Self.root, environment).runtimeRoot == "/run/aibox")
        #expect(Self.paths(Self.root).runtimeRoot == "/run/aibox")
    }

    @Test("a folder that others can enter, a link and a missing one are not private")
    func privateFolder() throws {
        let folder = try TemporaryFolder()
        let owner = geteuid()
        #expect(Paths.isPrivateFolder(folder.path, owner: owner))
        #expect(!Paths.isPrivateFolder(folder.path, owner: owner + 1))
        symlink(folder.path, folder.path + "/link")
        #expect(!Paths.isPrivateFolder(folder.path + "/link", owner: owner))
        #expect(!Paths.isPrivateFolder(folder.path + "/none", owner: owner))
        chmod(folder.path, 0o750)
        #expect(!Paths.isPrivateFolder(folder.path, owner: owner))
    }

    @Test("a sandbox's run-time folder is made 0700 with its parent")
    func make() throws {
        let folder = try TemporaryFolder()
        var identity = Self.user
        identity.uid = geteuid()
        identity.home = folder.path
        let paths = Paths(identity: identity, environment: ["XDG_RUNTIME_DIR": folder.path])
        let made = try paths.makeRuntimeFolder(sandbox: "s")
        #expect(made == folder.path + "/aibox/s")
        #expect(Paths.isPrivateFolder(made, owner: identity.uid))
        #expect(Paths.isPrivateFolder(folder.path + "/aibox", owner: identity.uid))
    }

    @Test(
        "a name that would leave its folder is refused", arguments: ["", ".", "..", "a/b", "../x", "a\u{0}b", "a\nb"])
    func names(name: String) {
        #expect(throws: AiboxError.self) { try Self.paths().runtimeFolder(sandbox: name) }
        #expect(throws: AiboxError.self) { try Self.paths().socket(name, sandbox: "s") }
        #expect(throws: AiboxError.self) { try Self.paths().sandboxState(name) }
    }

    @Test("a socket path the kernel would cut is an error that says so")
    func sockets() throws {
        let fits = String(repeating: "s", count: 107 - "/run/aibox/".utf8.count - "/control.sock".utf8.count)
        #expect(try Self.paths(Self.root).socket("control.sock", sandbox: fits).utf8.count == 107)
        let error = #expect(throws: AiboxError.self) {
            try Self.paths(Self.root).socket("control.sock", sandbox: fits + "s")
        }
        #expect(error?.why == "it has 108 bytes and the kernel takes 107")
    }

    @Test(
        "paths of the configuration become absolute",
        arguments: [
            ("/a", "/a"), ("~", "/home/dev"), ("~/k.pem", "/home/dev/k.pem"), (".", "/srv"), ("", "/srv"),
            ("a/b", "/srv/a/b"), ("~x", "/srv/~x"),
        ])
    func absolute(path: String, expected: String) {
        #expect(Self.paths().absolute(path, base: "/srv") == expected)
    }
}
