import AiboxSystem
import Testing

@testable import AiboxContainer

@Suite("Planning an image build")
struct BuildPlanTests {
    private static let archive = DistributionArchive(
        codename: "bookworm", architecture: "amd64",
        sources: [AptSource(uri: "http://m.test/", suite: "bookworm", components: ["main"], signedBy: "/k.gpg")])

    @Test("the installer's command names everything that decides the result, and nothing is left to a shell")
    func command() {
        let recipe = ImageRecipe(name: "a", version: 1, description: "", packages: ["bash", "git"])
        let command = RootfsInstallation(
            archive: Self.archive, recipe: recipe, epoch: 1_700_000_000, isRoot: false,
            proxies: ["Acquire::http::Proxy \"http://p.test:1/\";"], folder: "/f"
        ).command
        #expect(command.executable == "mmdebstrap")
        #expect(
            command.arguments == [
                "--mode=unshare", "--variant=minbase", "--format=tar", "--architectures=amd64", "--include=bash,git",
                "--aptopt=Acquire::Languages \"none\"", "--aptopt=Acquire::http::Proxy \"http://p.test:1/\";",
                "--dpkgopt=path-exclude=/usr/share/info/*", "--dpkgopt=path-exclude=/usr/share/doc/*",
                "--dpkgopt=path-include=/usr/share/doc/*/copyright", "--dpkgopt=path-exclude=/usr/share/locale/*/LC_*",
                "--dpkgopt=path-exclude=/usr/share/lintian/*", "bookworm", "-",
                "deb [signed-by=\"/k.gpg\"] http://m.test/ bookworm main",
            ])
        #expect(command.environment["SOURCE_DATE_EPOCH"] == "1700000000")
        #expect(command.environment["TMPDIR"] == "/f")
    }

    @Test("the machine's proxies are taken over, scripts and empty ones are not")
    func proxies() {
        let dump = """
            APT "";
            Acquire::http "";
            Acquire::http::Proxy "http://proxy.test:3128/";
            Acquire::https::Proxy::vendor.test "DIRECT";
            Acquire::http::Proxy-Auto-Detect "/usr/bin/detect";
            Acquire::ftp::Proxy "";
            """
        #expect(
            RootfsInstallation.proxies(dump) == [
                "Acquire::http::Proxy \"http://proxy.test:3128/\";", "Acquire::https::Proxy::vendor.test \"DIRECT\";",
            ])
    }

    @Test("candidates of apt-cache policy")
    func candidates() {
        let text = """
            git:
              Installed: (none)
              Candidate: 1:2.39.5-0+deb12u2
              Version table:
                 1:2.39.5-0+deb12u2 500
                    500 http://m.test bookworm/main amd64 Packages
            nothing:
              Installed: (none)
              Candidate: (none)
              Version table:
            """
        let plan = AptPlan(candidates: AptPlan.candidates(text), date: 0)
        #expect(plan.candidates == ["git": "1:2.39.5-0+deb12u2"])
        #expect(plan.missing(["git", "nothing", "unheard"]) == ["nothing", "unheard"])
    }

    @Test(
        "the date of a Release file",
        arguments: [
            ("Origin: Debian\nDate: Sat, 15 Nov 2025 09:44:21 UTC\n", 1_763_199_861),
            ("Date: Thu, 01 Jan 1970 00:00:00 UTC", 0), ("Date: yesterday", nil),
            ("Date: Sat, 15 Foo 2025 09:44:21 UTC", nil),
            ("Date: Sat, 15 Nov 2025 09:44:21 CET", nil), ("", nil),
        ])
    func releaseDate(_ text: String, _ seconds: Int?) { #expect(AptPlan.releaseDate(text) == seconds) }

    @Test(
        "a moment in RFC 3339",
        arguments: [
            ("2026-03-01T09:30:00Z", 1_772_357_400), ("2026-03-01T10:30:00+01:00", 1_772_357_400),
            ("2026-03-01T04:00:00.123456789-05:30", 1_772_357_400), ("2026-03-01T09:30:00", nil),
            ("2026-13-01T09:30:00Z", nil),
            ("2026-03-01 09:30:00Z", nil), ("", nil), ("2026-03-01T09:30:00+1:00", nil), ("20x6-03-01T09:30:00Z", nil),
        ])
    func moment(_ text: String, _ seconds: Int64?) {
        #expect(Timestamp(rfc3339: text)?.seconds == seconds)
        if let seconds { #expect(Timestamp(rfc3339: ImageLabel.moment(Int(seconds)))?.seconds == seconds) }
    }

    @Test("a lock survives writing and reading, and shows every difference")
    func lock() throws {
        let lock = PackageLock(identity: "bookworm-amd64", date: 1_700_000_000, versions: ["a": "1", "b": "2:3~x+y"])
        #expect(try PackageLock(lock.text, file: "f") == lock)
        #expect(lock.differences(lock.versions).isEmpty)
        #expect(
            lock.differences(["b": "2:4", "c": "1"]).map(\.description) == [
                "a: 1 in the lock, not in the archive", "b: 2:3~x+y in the lock, 2:4 in the archive",
                "c: not in the lock, 1 in the archive",
            ])
    }

    @Test(
        "a broken lock is an error",
        arguments: [
            "", "release bookworm-amd64\n", "date 2026-01-01T00:00:00Z\nrelease x\n", "release x\ndate now\n",
            "release x\ndate 2026-01-01T00:00:00Z\na\n", "release x\ndate 2026-01-01T00:00:00Z\na 1\na 2\n",
            "release x\ndate 2026-01-01T00:00:00Z\na 1 2\n",
        ])
    func brokenLock(_ text: String) { #expect(throws: AiboxError.self) { try PackageLock(text, file: "f") } }

    @Test(
        "a failed installation is explained",
        arguments: [
            ("E: write error - No space left on device", "the disk is full"),
            ("W: Failed to fetch http://m.test  Could not connect to m.test:80", "the archive cannot be reached"),
            ("E: The repository 'http://m.test x InRelease' is not signed.", "signature"),
            ("W: GPG error: NO_PUBKEY 123", "signature"),
            ("newuidmap: write to uid_map failed: Operation not permitted", "subordinate ids"),
            ("dpkg: error processing package java (--configure):", "could not be installed"),
            ("E: Unable to locate package frobnicate", "frobnicate"),
        ])
    func failure(_ line: String, _ why: String) {
        let log = "I: running apt-get update...\nGet:1 something\n\(line)\nE: mmdebstrap failed to run\n"
        #expect(BuildFailure.explain(log)?.why.contains(why) == true)
    }

    @Test("an unknown failure shows the log's last words without mmdebstrap's chatter")
    func unknownFailure() {
        #expect(BuildFailure.explain("all is well") == nil)
        #expect(BuildFailure.lastLines("a\nb\n\nI: cleaning\nc\nd\n") == "b; c; d")
    }

    private static func facts(_ change: (inout BuildPreflight) -> Void) -> BuildPreflight {
        var facts = BuildPreflight(
            user: UserIdentity(uid: 1001, gid: 1001, name: "ann", home: "/home/ann"),
            programs: ["mmdebstrap", "podman", "apt-get", "newuidmap", "newgidmap"],
            subordinateUsers: "ann:100000:65536\n",
            subordinateGroups: "1001:100000:65536\n", allowsNamespaces: true, free: 10_000_000_000, folder: "/var/tmp")
        change(&facts)
        return facts
    }

    @Test("a machine that has everything passes, as root without subordinate ids, too")
    func readyMachine() throws {
        try Self.facts { _ in }.check()
        try Self.facts {
            $0.user = UserIdentity(uid: 0, gid: 0, name: "root", home: "/root")
            $0.subordinateUsers = ""
            $0.subordinateGroups = ""
            $0.allowsNamespaces = false
            $0.programs = ["mmdebstrap", "podman", "apt-get"]
        }.check()
    }

    @Test(
        "what is missing is named with the command that fixes it",
        arguments: [
            ("mmdebstrap", "sudo apt-get install mmdebstrap"), ("podman", "sudo apt-get install podman"),
            ("newuidmap", "sudo apt-get install uidmap"), ("newgidmap", "sudo apt-get install uidmap"),
        ])
    func missingProgram(_ program: String, _ remedy: String) {
        let error = #expect(throws: AiboxError.self) { try Self.facts { $0.programs.remove(program) }.check() }
        #expect(error?.why?.contains(program) == true)
        #expect(error?.remedy == remedy)
    }

    @Test("no subordinate ids, no namespaces, no room")
    func missingRights() {
        for text in ["", "bob:100000:65536\n", "ann:100000:1000\n", "ann:x:y\n", "ann 100000 65536"] {
            let error = #expect(throws: AiboxError.self) { try Self.facts { $0.subordinateUsers = text }.check() }
            #expect(error?.remedy?.contains("--add-subuids") == true)
        }
        #expect(throws: AiboxError.self) { try Self.facts { $0.subordinateGroups = "" }.check() }
        #expect(throws: AiboxError.self) { try Self.facts { $0.allowsNamespaces = false }.check() }
        let error = #expect(throws: AiboxError.self) { try Self.facts { $0.free = 100_000_000 }.check() }
        #expect(error?.why?.contains("100 MB free") == true)
    }

    @Test("a recipe's own source needs its key on this machine, and says so before anything is fetched")
    func keyring() {
        let source = AptSource(
            uri: "https://vendor.test/", suite: "x", components: ["main"], signedBy: "/no/such/key.gpg")
        let recipe = ImageRecipe(name: "dotnet", version: 1, description: "", packages: ["sdk"], sources: [source])
        let error = #expect(throws: AiboxError.self) { try ImageBuilder.checkKeyrings(recipe) }
        #expect(error?.why?.contains("/no/such/key.gpg") == true)
        #expect(error?.why?.contains("https://vendor.test/") == true)
    }
}
