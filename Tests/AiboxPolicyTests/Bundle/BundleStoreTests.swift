import AiboxConfig
import AiboxSystem
import AiboxTestSupport
import Synchronization
import Testing

@testable import AiboxPolicy

@Suite("Kept bundles")
struct BundleStoreTests {
    private let fixture: BundleFixture
    private let source: String

    init() throws {
        fixture = try BundleFixture()
        source = fixture.folder.path + "/org.tar.gz"
    }

    private func publish(
        _ version: Int64, expires: String = "2099-01-01T00:00:00Z", policy: String = "runtime: {engine: gvisor}"
    )
        throws
    {
        try fixture.write("org.tar.gz", fixture.signed(version, expires: expires, policy: policy))
    }

    private func state(_ store: BundleStore) throws -> BundleStanding.State { try store.standing().state }

    @Test("nothing is kept before the first fetch, and nothing else stands in for it")
    func absent() throws {
        let store = try fixture.store(source)
        #expect(try state(store) == .absent)
        let error = #expect(throws: AiboxError.self) { try store.bundle() }
        #expect(error?.code == .policyInvalid && error?.remedy == "aibox policy pull")
    }

    @Test("a newer version takes the place; an older one, or other content under the same, does not")
    func versions() throws {
        let store = try fixture.store(source)
        try publish(5)
        #expect(try fixture.pull(store).isNew)
        #expect(try !fixture.pull(store).isNew)
        try publish(6, policy: "resources: {cpus: 2}")
        #expect(try fixture.pull(store).before != nil)
        #expect(try store.bundle().manifest.version == 6)
        for (version, policy, words) in [
            (5 as Int64, "runtime: {engine: gvisor}", "version 6 was accepted before (rollback)"),
            (6, "resources: {cpus: 9}", "with other content"), (1, "resources: {cpus: 2}", "(rollback)"),
        ] {
            try publish(version, policy: policy)
            let said = fixture.refusal(store)
            #expect(said.hasPrefix("policyInvalid") && said.contains(words), "\(said)")
            #expect(try store.bundle().manifest.version == 6)
            #expect(try store.standing().lastError?.contains(words) == true && state(store) == .stale)
        }
        // Another source has versions of its own.
        try fixture.write("other.tar.gz", fixture.signed(1))
        #expect(try fixture.pull(fixture.store(fixture.folder.path + "/other.tar.gz")).version == 1)
        // The same content, signed by the organisation's next key, is the same bundle.
        let next = try BundleFixture()
        try fixture.write("org.tar.gz", next.signed(6, policy: "resources: {cpus: 2}"))
        let rotated = try fixture.store(source, keys: [next.publicKey])
        #expect(try state(rotated) == .invalid)
        #expect(try !fixture.pull(rotated).isNew)
        #expect(try state(rotated) == .fresh)
    }

    @Test("what is refused, cannot be read or cannot be fetched leaves what was kept")
    func failures() throws {
        let store = try fixture.store(source)
        try publish(1)
        _ = try fixture.pull(store)
        let good = try store.bundle()
        let bad: [[UInt8]?] = [
            nil, [], Array("nonsense".utf8), try fixture.signed(2).dropLast(20),
            try fixture.signed(2, expires: "2029-12-31T23:59:59Z"), try fixture.signed(2, policy: "bogus: 1"),
            try fixture.signed([BundleFixture.manifest(layer: "team", version: 2), BundleFixture.policy()]),
            try BundleFixture().signed(2),
            try fixture.signed([
                BundleFixture.manifest(version: 2), BundleFixture.policy(),
                BundleFile(name: "a.rego", bytes: Array("package aibox.org\n\nx := nope(1)\n".utf8)),
            ]),
        ]
        for bytes in bad {
            if let bytes { try fixture.write("org.tar.gz", Array(bytes)) } else { try File.remove(source) }
            #expect(fixture.refusal(store) != "accepted")
            #expect(try store.bundle() == good)
        }
        try publish(2, policy: "bogus: 1")
        #expect(fixture.refusal(store).contains("bundle org v2: policy.yaml:2:1: "))
    }

    @Test("who is told of a change can prevent it")
    func announced() throws {
        let store = try fixture.store(source)
        try publish(1)
        #expect(throws: AiboxError.self) {
            try store.pull(PolicyModules([])) { (_) throws(AiboxError) in throw AiboxError(.failed, "no audit") }
        }
        #expect(try state(store) == .absent)
    }

    @Test("a bundle is used until it expires, and a clock that is put back revives nothing")
    func expiry() throws {
        let time = Mutex<Int64>(0)
        let clock: @Sendable () -> Timestamp = { moment(time.withLock { $0 }) }
        func at(_ seconds: Int64) { time.withLock { $0 = seconds } }
        let store = try fixture.store(source, clock: clock)
        try publish(1, expires: "2030-01-02T00:00:00Z")
        _ = try fixture.pull(store)
        #expect(try state(store) == .fresh)
        at(3600)
        #expect(try state(store) == .fresh)
        at(3601)
        #expect(try state(store) == .stale && store.bundle().manifest.version == 1)
        at(86_399)
        #expect(try state(store) == .stale)
        at(86_400)
        let error = #expect(throws: AiboxError.self) { try store.bundle() }
        #expect(error?.code == .policyInvalid && error?.why == "it expired at 2030-01-02T00:00:00Z", "\(error as Any)")
        for back: Int64 in [86_399, 0, -1_000_000] {
            at(back)
            #expect(try state(store) == .expired)
            #expect(try store.standing().problem?.why?.contains("clock was at 2030-01-02T00:00:00Z before") == true)
            #expect(fixture.refusal(store).contains("it expired"))
        }
        // What replaces it has to hold at the latest time that was seen, too.
        try publish(2, expires: "2030-01-01T23:59:59Z")
        #expect(fixture.refusal(store).contains("it expired"))
        try publish(2, expires: "2030-02-01T00:00:00Z")
        #expect(try fixture.pull(store).version == 2)
        #expect(try state(store) == .fresh)
    }

    @Test("kept files that were changed, exchanged or removed are not used")
    func changed() throws {
        let store = try fixture.store(source)
        try publish(1)
        _ = try fixture.pull(store)
        let old = try File.read(source)
        try publish(2)
        _ = try fixture.pull(store)
        let folder =
            fixture.folder.path + "/state/bundles/" + (try Folder.names(fixture.folder.path + "/state/bundles")[0])
        let archives = try Folder.names(folder).filter { $0.hasSuffix(".tar.gz") }
        #expect(archives.count == 1)
        let archive = folder + "/" + archives[0]
        let bytes = try File.read(archive)
        for other in [old, Array(bytes.dropLast()), [], bytes + [0]] {
            try File.replace(archive, with: other)
            #expect(try state(store) == .changed)
            let error = #expect(throws: AiboxError.self) { try store.bundle() }
            #expect(error?.why?.contains("is not what was fetched") == true)
        }
        try File.remove(archive)
        #expect(try state(store) == .changed)
        #expect(try !fixture.pull(store).isNew && state(store) == .fresh)
        let record = try File.text(folder + "/record.json")
        for text in ["", "{}", record.replacing(#""version":1"#, with: #""version":2"#)] {
            try File.replace(folder + "/record.json", with: text)
            #expect(throws: AiboxError.self) { try store.bundle() }
            #expect(fixture.refusal(store).hasPrefix("policyInvalid"))
        }
        try File.replace(folder + "/record.json", with: record.replacing(#""bundle":2"#, with: #""bundle":3"#))
        #expect(try state(store) == .changed)
        try File.replace(folder + "/record.json", with: record)
        try File.replace(folder + "/clock", with: "yesterday\n")
        #expect(throws: AiboxError.self) { try store.bundle() }
    }

    @Test("a start fetches what is missing or due, and goes on with what it has while that holds")
    func renewal() throws {
        let time = Mutex<Int64>(0)
        let clock: @Sendable () -> Timestamp = { moment(time.withLock { $0 }) }
        let store = try fixture.store(source, clock: clock)
        func renew() throws -> [String] {
            try store.renew { () throws(AiboxError) in
                _ = try store.pull(PolicyModules([])) { (_) throws(AiboxError) in }
            }
        }
        #expect(throws: AiboxError.self) { try renew() }
        try publish(1, expires: "2030-01-02T00:00:00Z")
        #expect(try renew() == [] && store.bundle().manifest.version == 1)
        try publish(2, expires: "2030-01-02T00:00:00Z")
        #expect(try renew() == [] && store.bundle().manifest.version == 1)
        time.withLock { $0 = 3601 }
        #expect(try renew() == [] && store.bundle().manifest.version == 2)
        try File.remove(source)
        time.withLock { $0 = 7300 }
        let notes = try renew()
        #expect(notes.count == 1 && notes[0].hasPrefix("the organisation's bundle could not be renewed: cannot read "))
        #expect(notes[0].contains("; v2 is used until "))
        // Five minutes of rest for a source that fails.
        try publish(3, expires: "2030-01-02T00:00:00Z")
        time.withLock { $0 = 7400 }
        #expect(try renew().count == 1 && store.bundle().manifest.version == 2)
        time.withLock { $0 = 7600 }
        #expect(try renew() == [] && store.bundle().manifest.version == 3)
        time.withLock { $0 = 90_000 }
        let error = #expect(throws: AiboxError.self) { try renew() }
        #expect(error?.code == .policyInvalid && error?.why?.contains("it expired at 2030-01-02") == true)
        try publish(4)
        #expect(try renew() == [] && store.bundle().manifest.version == 4)
    }

    @Test("two that fetch at once do not disturb each other")
    func together() async throws {
        try publish(1)
        let store = try fixture.store(source)
        let fixture = fixture
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    let said = fixture.refusal(store)
                    #expect(said == "accepted" || said.contains("is fetching it right now"), "\(said)")
                }
            }
        }
        #expect(try store.bundle().manifest.version == 1)
    }

    @Test("a folder with the files is a source, but for links in it")
    func folder() throws {
        let files = [BundleFixture.manifest(), BundleFixture.policy(), BundleFixture.rego]
        let signature = BundleFixture.signatures(try fixture.token(BundleFixture.payload(files)))
        for file in files + [signature] { try fixture.write("b/" + file.name, file.bytes) }
        let store = try fixture.store("file://" + fixture.folder.path + "/b")
        #expect(try fixture.pull(store).version == 1)
        #expect(try store.bundle().modules.count == 1)
        try SystemCommandRunner().require(
            Command("ln", ["-s", "/etc/passwd", fixture.folder.path + "/b/extra.rego"]), "no link")
        #expect(fixture.refusal(store).contains("extra.rego is neither a file nor a folder"))
    }

    @Test("a branch of a git repository is a source: a packed bundle, or the files in a folder")
    func git() throws {
        let repository = fixture.folder.path + "/repository"
        let runner = SystemCommandRunner()
        func git(_ arguments: String...) throws {
            let settings = ["-C", repository, "-c", "user.name=t", "-c", "user.email=t@localhost"]
            try runner.require(Command("git", settings + arguments), "git fails")
        }
        try Folder.make(repository)
        try git("init", "--quiet", "--initial-branch", "stable")
        let files = [BundleFixture.manifest(), BundleFixture.policy(), BundleFixture.rego]
        let signature = BundleFixture.signatures(try fixture.token(BundleFixture.payload(files)))
        for file in files + [signature] { try fixture.write("repository/org/" + file.name, file.bytes) }
        try fixture.write("repository/packed/org.tar.gz", fixture.signed(files))
        // What attributes would do to an export changes nothing here.
        try fixture.write("repository/.gitattributes", Array("*.rego export-ignore\n".utf8))
        try git("add", "--all")
        try git("commit", "--quiet", "-m", "one")
        let base = "git+file://" + repository
        for place in ["#stable:org", "#:org/", "#stable:packed/org.tar.gz", "#refs/heads/stable:/org"] {
            let store = try fixture.store(base + place)
            #expect(try fixture.pull(store).version == 1, "\(place)")
            #expect(try store.bundle().modules.count == 1)
        }
        for (place, words) in [
            ("#none:org", "cannot fetch the bundle from"), ("#stable:none", "stable has no none"),
            ("#stable", "it is not signed"), ("#stable:packed", "it is not signed"),
        ] {
            let said = fixture.refusal(try fixture.store(base + place))
            #expect(said.contains(words), "\(place) \(said)")
        }
        try fixture.write("repository/huge.tar.gz", [UInt8](repeating: 0, count: BundleArchive.largest + 1))
        try git("add", "--all")
        try git("commit", "--quiet", "-m", "huge")
        for place in [base + "#stable:huge.tar.gz", repository + "/huge.tar.gz"] {
            #expect(fixture.refusal(try fixture.store(place)).contains("larger than"), "\(place)")
        }
        try runner.require(Command("ln", ["-s", "/etc/passwd", repository + "/org/link.rego"]), "no link")
        try git("add", "--all")
        try git("commit", "--quiet", "-m", "two")
        #expect(fixture.refusal(try fixture.store(base + "#stable:org")).contains("neither a file nor a folder"))
        let left = try Folder.names("/tmp").filter { $0.hasPrefix("aibox-bundle.") }
        #expect(left.isEmpty)
    }

    @Test(
        "addresses that make no sense are refused in words",
        arguments: [
            "http://policy.example/b", "https://", "https://host", "https://host/", "https://user@host/b",
            "https://:443/b",
            "https://host:0/b", "https://host:99999/b", "https://host/b#x", "git+http://host/b", "git+https://",
            "git+https://u:p@host/r.git", "git+https://host/r#-x:b", "git+https://host/r#a..b:c",
            "git+https://host/r#main:../b", "git+ext::sh -c x", "ftp://host/b", "relative/path", "", "https://host/a b",
        ])
    func addresses(text: String) throws {
        let error = #expect(throws: AiboxError.self) { try BundleAddress(text) }
        #expect(error?.code == .usage)
    }

    @Test("settings that say half of it, or two things, are refused")
    func settings() throws {
        let paths = Paths(
            identity: .current, environment: ["XDG_STATE_HOME": fixture.folder.path],
            systemFolder: fixture.folder.path + "/etc")
        func words(_ change: (inout Configuration.Policy) -> Void) -> String {
            var settings = Configuration().policy
            change(&settings)
            let configured = ConfiguredPolicy(settings, paths: paths)
            do {
                _ = try configured.team()
                return try configured.organisation(embedded: Array("version: 1\n".utf8)).file
            } catch { return "\(error)" }
        }
        #expect(words { _ in } == "the embedded baseline")
        #expect(words { $0.orgBundleURL = "/b" }.contains("policy.org_bundle_keys names no key"))
        #expect(words { $0.orgBundleKeys = ["/k"] }.contains("policy.org_bundle_url is not"))
        #expect(words { $0.teamBundleURL = "/b" }.contains("policy.team_bundle_keys names no key"))
        #expect(
            words {
                $0.teamBundleURL = "/b"
                $0.teamBundleKeys = ["/k"]
                $0.teamPolicyPath = "/t"
            }.contains("policy.team_policy_path is set as well"))
        #expect(
            words {
                $0.orgBundleURL = "/b"
                $0.orgBundleKeys = ["/k"]
            }.contains("was never fetched"))
    }
}
