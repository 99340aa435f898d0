import AiboxCrypto
import AiboxSystem
import AiboxTestSupport
import AiboxWire
import Glibc
import Testing

@testable import AiboxAudit

@Suite("Places of checkpoints beside this machine")
struct PlaceTests {
    private let fixture: LogFixture

    init() throws { fixture = try LogFixture() }

    // MARK: Addresses

    @Test(
        "addresses",
        arguments: [
            AddressRow(testDescription: "git over HTTPS", text: "git+https://git.example/a.git", isRight: true),
            AddressRow(
                testDescription: "git over SSH", text: "git+ssh://git@git.example/a.git?branch=log/1", isRight: true),
            AddressRow(testDescription: "a local repository", text: "git+file:///srv/a.git", isRight: true),
            AddressRow(testDescription: "a bucket", text: "s3://b/p?region=eu-west-1&days=30&ca=/x", isRight: true),
            AddressRow(
                testDescription: "a witness", text: "witness+https://w.example/x?key=/etc/w&ca=/y", isRight: true),
            AddressRow(testDescription: "syslog", text: "syslog+tls://logs.example?ca=/x", isRight: true),
            AddressRow(testDescription: "git without encryption", text: "git+git://git.example/a.git", isRight: false),
            AddressRow(testDescription: "a command for git", text: "git+ext::sh", isRight: false),
            AddressRow(
                testDescription: "a branch that is an option", text: "git+file:///a?branch=--force", isRight: false),
            AddressRow(testDescription: "a branch that climbs", text: "git+file:///a?branch=a/../b", isRight: false),
            AddressRow(testDescription: "a witness without a key", text: "witness+https://w.example", isRight: false),
            AddressRow(testDescription: "no days", text: "s3://b?days=0", isRight: false),
            AddressRow(testDescription: "an unknown option", text: "s3://b?lock=no", isRight: false),
            AddressRow(testDescription: "white space", text: "git+file:///a b", isRight: false),
            AddressRow(testDescription: "plain HTTP", text: "http://w.example", isRight: false),
        ])
    func addresses(_ row: AddressRow) {
        #expect(((try? PlaceAddress(row.text)) != nil) == row.isRight)
    }

    // MARK: Following

    @Test("a log that is followed is the log read afresh, however it grows; one that was put back is read anew")
    func followed() throws {
        let folder = LogFolder(path: fixture.log)
        func sizes(_ log: PlacedLog) -> [UInt64] { log.checkpoints.map(\.size) }
        try fixture.write(0..<3)
        let first = try PlacedLog(folder)
        try fixture.write(3..<8)
        let before = try File.read(folder.checkpoints)
        try fixture.write(8..<9)
        let followed = try PlacedLog(folder, before: first)
        let afresh = try PlacedLog(folder)
        #expect(sizes(followed) == sizes(afresh) && sizes(afresh).count == 3)
        #expect(followed.checkpoints.allSatisfy { followed.has($0) })
        #expect(sizes(try PlacedLog(folder, before: followed)) == sizes(afresh))
        // Its beginning is not read again: that is what following saves.
        let whole = try File.read(folder.checkpoints)
        try File.replace(folder.checkpoints, with: [UInt8](repeating: 0x01, count: 40) + whole.dropFirst(40))
        #expect(sizes(try PlacedLog(folder, before: followed)) == sizes(afresh))
        #expect(sizes(try PlacedLog(folder)) == Array(sizes(afresh).dropFirst()))
        // Shorter than it was, or another checkpoint in the newest one's place.
        try File.replace(folder.checkpoints, with: before)
        #expect(sizes(try PlacedLog(folder, before: followed)) == Array(sizes(afresh).dropLast()))
        try File.replace(folder.checkpoints, with: before + before + before)
        #expect(sizes(try PlacedLog(folder, before: followed)) == sizes(try PlacedLog(folder)))
        // Half a checkpoint is none yet.
        try File.replace(folder.checkpoints, with: Array(whole.dropLast(7)))
        let torn = try PlacedLog(folder, before: first)
        #expect(sizes(torn) == Array(sizes(afresh).dropLast()))
        try File.replace(folder.checkpoints, with: whole)
        #expect(sizes(try PlacedLog(folder, before: torn)) == sizes(afresh))
    }

    // MARK: Consistency proofs

    @Test("the proof that one tree continues another is that of RFC 6962, from any state of the earlier one")
    func consistency() throws {
        let hasher = try MerkleHasher()
        let leaves = try (0..<40).map { number in
            try hasher.leaf(UnsafeRawBufferPointer(start: nil, count: 0)).mixed(number, hasher)
        }
        func root(_ range: Range<Int>) throws -> Digest256 {
            var tree = MerkleFrontier()
            for leaf in leaves[range] { try tree.add(leaf, hasher) }
            return try tree.root(hasher)
        }
        // SUBPROOF as the RFC writes it.
        func expected(_ old: Int, _ range: Range<Int>, _ isWhole: Bool) throws -> [Digest256] {
            if old == range.count { return isWhole ? [] : [try root(range)] }
            var half = 1
            while half * 2 < range.count { half *= 2 }
            let middle = range.lowerBound + half
            return old <= half
                ? try expected(old, range.lowerBound..<middle, isWhole) + [root(middle..<range.upperBound)]
                : try expected(old - half, middle..<range.upperBound, false) + [root(range.lowerBound..<middle)]
        }
        for size in 1...40 {
            for old in 1...size {
                var frontier = MerkleFrontier()
                for leaf in leaves[..<old] { try frontier.add(leaf, hasher) }
                var proof = ConsistencyProof(from: frontier, to: UInt64(size))
                for position in old..<size { try proof.add(leaves[position], at: UInt64(position), hasher) }
                #expect(try proof.hashes(hasher) == expected(old, 0..<size, true), "\(old) to \(size)")
            }
        }
    }

    // MARK: What every readable place finds

    /// A place, and what makes it forget that it knows a log.
    private func expectGuarded(_ text: String) throws {
        let address = try PlaceAddress(text)
        let courier = CheckpointCourier(folder: fixture.log, to: [address])
        func verify() throws -> AuditVerification { try AuditVerifier(folder: fixture.log, places: [address]).run() }
        func deliver() throws -> CheckpointCourier.Delivery { try #require(try courier.run().first) }
        func expectStopped(_ kinds: [AuditFinding.Kind], _ comment: Comment) throws {
            let finding = try verify().finding
            #expect(finding.map { kinds.contains($0.kind) } ?? false, comment)
            let delivery = try deliver()
            #expect(delivery.error?.code == .integrity, comment)
            #expect(throws: AiboxError.self, comment) { try fixture.open() }
            // Under the rule that goes on without a log, too: this is no full disk.
            var options = fixture.options()
            options.onFailure = .markGap
            #expect(throws: AiboxError.self, comment) { try fixture.open(options) }
            try File.remove(fixture.files.contradiction)
        }
        try fixture.write(0..<5)
        #expect(try verify().finding == nil)
        let first = try deliver()
        #expect(first.error == nil, "\(String(describing: first.error))")
        #expect(first.standing.delivered == 6 && !first.standing.isBehind)
        #expect(try verify().agreeingPlaces == [text])
        try fixture.copy(to: "yesterday")
        try fixture.write(5..<9)
        let isBehind = try verify().notices.contains { $0.contains("first 6 of 10") }
        // Asking a witness is handing the newest checkpoint in.
        #expect(isBehind != text.hasPrefix("witness"))
        #expect(try deliver().error == nil)
        try fixture.write(9..<12)
        #expect(try deliver().error == nil)
        #expect(try deliver().standing.delivered == 13)
        #expect(try verify().agreeingPlaces == [text] && verify().finding == nil)
        try fixture.copy(to: "today")

        // Yesterday's folder, with everything in it.
        try fixture.restore(from: "yesterday")
        #expect(try verify().finding?.kind == .rolledBack)
        #expect(try AuditVerifier(folder: fixture.log).run().finding == nil)
        // It goes on for a little: shorter, as long, longer than what was known.
        let steps: [(Range<Int>, [AuditFinding.Kind])] = [
            (20..<22, [.rolledBack]), (22..<25, [.rolledBack, .forked]), (25..<35, [.forked]),
        ]
        for (count, kind) in steps {
            try fixture.write(count)
            try expectStopped(kind, "\(count)")
        }
        // A fresh log in the old one's place.
        try Folder.removeTree(fixture.log)
        try fixture.write(0..<3)
        try expectStopped([.rekeyed], "fresh")

        // The true one is still right, and goes on.
        try fixture.restore(from: "today")
        #expect(try verify().finding == nil)
        try fixture.write(50..<53)
        #expect(try deliver().error == nil)
        #expect(try verify().agreeingPlaces == [text])
    }

    @Test("a git repository finds a log that was rolled back, forked or replaced, and no writer goes on")
    func git() throws {
        let repository = try makeRepository()
        try expectGuarded("git+file://\(repository)")
        // Nothing was pushed by force: every checkpoint that was there is in the history.
        let count = try run(["--git-dir", repository, "rev-list", "--count", "aibox-audit"])
        #expect(count == "4")
    }

    @Test("what somebody pushed over a checkpoint hides nothing that the history has")
    func gitHistory() throws {
        let repository = try makeRepository()
        let address = try PlaceAddress("git+file://\(repository)")
        let courier = CheckpointCourier(folder: fixture.log, to: [address])
        try fixture.write(0..<5)
        try fixture.copy(to: "yesterday")
        try fixture.write(5..<9)
        #expect(try courier.run().first?.error == nil)
        // An intruder rolls the log back and pushes a tree without the files on top.
        let empty = try run(["--git-dir", repository, "hash-object", "-w", "-t", "tree", "/dev/null"])
        let commit = try run(
            [
                "-c", "user.name=x", "-c", "user.email=x", "--git-dir", repository, "commit-tree", "-m", "tidy", "-p",
                "aibox-audit", empty,
            ])
        _ = try run(["--git-dir", repository, "update-ref", "refs/heads/aibox-audit", commit])
        try fixture.restore(from: "yesterday")
        #expect(try AuditVerifier(folder: fixture.log, places: [address]).run().finding?.kind == .rolledBack)
    }

    @Test("many logs share a repository, also when they push at once")
    func gitShared() throws {
        let repository = try makeRepository()
        let address = try PlaceAddress("git+file://\(repository)?branch=logs/all")
        let others = try (0..<4).map { _ in try LogFixture() }
        for other in others { try other.write(0..<3) }
        let errors = Parallel.map(others) { other -> String? in
            do {
                return try CheckpointCourier(folder: other.log, to: [address]).run().first?.error.map { "\($0)" }
            } catch {
                return "\(error)"
            }
        }
        #expect(errors.compactMap(\.self) == [])
        for other in others {
            #expect(try AuditVerifier(folder: other.log, places: [address]).run().agreeingPlaces == [address.text])
        }
    }

    @Test("a bucket with object lock finds a log that was rolled back, forked or replaced, and keeps each checkpoint")
    func bucket() throws {
        let server = try MotoServer(fixture.folder.path)
        setenv("AWS_ACCESS_KEY_ID", "test", 1)
        setenv("AWS_SECRET_ACCESS_KEY", "test", 1)
        let text = "s3://sealed/places?endpoint=localhost:\(server.port)&ca=\(fixture.folder.path)/server.pem&days=30"
        try expectGuarded(text)
        let told = try server.python(
            """
            held = [o["Key"] for o in s3.list_objects_v2(Bucket="sealed")["Contents"]]
            locks = {s3.head_object(Bucket="sealed", Key=k)["ObjectLockMode"] for k in held}
            print(len(held), locks)
            """)
        #expect(told == "5 {'COMPLIANCE'}")
        // Delete marks hide objects from a plain listing; the roll-back is found all the same.
        try fixture.restore(from: "yesterday")
        try server.python(
            """
            for o in s3.list_objects_v2(Bucket="sealed")["Contents"]:
                s3.delete_object(Bucket="sealed", Key=o["Key"])
            assert s3.list_objects_v2(Bucket="sealed")["KeyCount"] == 0
            """)
        let address = try PlaceAddress(text)
        #expect(try AuditVerifier(folder: fixture.log, places: [address]).run().finding?.kind == .rolledBack)
    }

    @Test("a witness signs only what continues what it signed before")
    func witness() throws {
        let witness = try Witness(fixture)
        defer { witness.stop() }
        try fixture.open().close()
        try witness.learn(fixture)
        try expectGuarded(witness.address)
    }

    @Test("a witness whose signature is not its key's is not believed, and one that was never told of a log is told")
    func strangeWitness() throws {
        let witness = try Witness(fixture)
        defer { witness.stop() }
        try fixture.write(0..<4)
        let address = try PlaceAddress(witness.address)
        #expect(try AuditVerifier(folder: fixture.log, places: [address]).run().finding?.kind == .rekeyed)
        try witness.learn(fixture)
        #expect(try AuditVerifier(folder: fixture.log, places: [address]).run().agreeingPlaces == [address.text])
        let key = [UInt8](repeating: 7, count: 32)
        let blob = [4] + key
        let id = try SHA256.digest(Array("witness.example/lab\n".utf8) + blob).bytes.prefix(4)
        try File.replace(witness.keyFile, with: "witness.example/lab+\(Hex.encode(id))+\(Base64.encode(blob))\n")
        let result = try AuditVerifier(folder: fixture.log, places: [address]).run()
        #expect(result.agreeingPlaces == [] && result.silentPlaces == [address.text])
    }

    @Test("rsyslog gets each newest checkpoint whole; what it has proves a roll-back when it is handed back")
    func syslog() throws {
        let (authority, certificate, key) = try fixture.certificates()
        let port = try Lab.freePort()
        let server = try fixture.startRsyslog(port, authority, certificate, key)
        defer {
            server.send(SIGKILL)
            _ = try? server.wait()
        }
        let address = try PlaceAddress("syslog+tls://localhost:\(port)?ca=\(authority)")
        try fixture.write(0..<4)
        try fixture.copy(to: "yesterday")
        try fixture.write(4..<9)
        let deadline = ContinuousClock.now + .seconds(30)
        while try CheckpointCourier(folder: fixture.log, to: [address]).run().first?.error != nil {
            try #require(ContinuousClock.now < deadline)
            usleep(100_000)
        }
        var received = ""
        while !received.contains("\n"), ContinuousClock.now < deadline {
            usleep(50_000)
            received = (try? File.text(fixture.folder.path + "/received")) ?? ""
        }
        let start = try #require(received.firstIndex(of: "{"))
        let json = try JSONParser.parse(Array(received[start...].prefix { $0 != "\n" }.utf8))
        let checkpoint = try #require(json["checkpoint"]?.stringValue)
        let result = try AuditVerifier(folder: fixture.log, places: [address]).run()
        #expect(result.finding == nil && result.notices.contains { $0.contains("cannot be read back") })
        let file = fixture.folder.path + "/checkpoint"
        try File.replace(file, with: checkpoint)
        #expect(try fixture.verify(checkpoint: file).finding == nil)
        try fixture.restore(from: "yesterday")
        #expect(try fixture.verify(checkpoint: file).finding != nil)
    }

    // MARK: Places out of reach

    @Test("a place out of reach stops nothing, is told as behind, and has everything once it is back")
    func outOfReach() throws {
        let repository = fixture.folder.path + "/later.git"
        let address = try PlaceAddress("git+file://\(repository)")
        let courier = CheckpointCourier(folder: fixture.log, to: [address])
        try fixture.write(0..<5)
        let first = try #require(try courier.run().first)
        #expect(first.error?.code == .failed && first.hasChanged)
        try fixture.write(5..<9)
        let second = try #require(try courier.run().first)
        #expect(second.error != nil && !second.hasChanged)
        #expect(second.standing.isBehind && second.standing.failing == first.standing.failing)
        let told = try PlaceStanding.all(folder: fixture.log, [address])
        #expect(told == [second.standing] && second.standing.words.contains("none of 10"))
        let result = try AuditVerifier(folder: fixture.log, places: [address]).run()
        #expect(result.finding == nil && result.silentPlaces == [address.text])
        try makeRepository(repository)
        let third = try #require(try courier.run().first)
        #expect(third.error == nil && third.hasChanged && third.standing.delivered == 10)
        #expect(try AuditVerifier(folder: fixture.log, places: [address]).run().agreeingPlaces == [address.text])
        // Nothing to do: nothing is asked.
        try Folder.removeTree(repository)
        #expect(try courier.run().first?.error == nil)
    }

    // MARK: Help

    @discardableResult
    private func makeRepository(_ path: String? = nil) throws -> String {
        let path = path ?? fixture.folder.path + "/place.git"
        _ = try run(["init", "--quiet", "--bare", path])
        return path
    }

    private func run(_ arguments: [String]) throws -> String {
        let result = try SystemCommandRunner().run(Command("git", arguments))
        try #require(result.succeeded, "\(result.errorText)")
        return result.text
    }

    /// The witness of the lab.
    private struct Witness {
        let child: ChildProcess
        let address: String
        let keyFile: String
        private let logs: String

        init(_ fixture: LogFixture) throws {
            let (authority, certificate, key) = try fixture.certificates()
            let port = try Lab.freePort()
            let folder = fixture.folder.path
            keyFile = folder + "/witness.key"
            logs = folder + "/witness.logs"
            try File.replace(logs, with: "")
            let programs = Environment.value("AIBOX_TEST_PYTHON") ?? "/usr/local/lib/aibox-test-python/bin"
            let output = Descriptor(open(keyFile, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600))
            let errors = Descriptor(open(folder + "/witness.err", O_WRONLY | O_CREAT | O_CLOEXEC, 0o600))
            child = try ChildProcess.start(
                Command(
                    programs + "/python",
                    [Lab.programs + "/witness.py", "\(port)", certificate, key, folder + "/witness.state", logs]),
                descriptors: [output.number, output.number, errors.number], deathSignal: SIGKILL)
            address = "witness+https://localhost:\(port)/w/?key=\(keyFile)&ca=\(authority)"
            let deadline = ContinuousClock.now + .seconds(30)
            while try !File.text(keyFile).hasSuffix("\n") {
                try #require(ContinuousClock.now < deadline, "\((try? File.text(folder + "/witness.err")) ?? "")")
                usleep(50_000)
            }
        }

        /// As its operator would, with the key from `log.pub`.
        func learn(_ fixture: LogFixture) throws {
            let identity = try LogIdentity(try File.text(fixture.files.identity), from: "log.pub")
            try File.replace(logs, with: try File.text(logs) + identity.key.text() + "\n")
        }

        func stop() {
            child.send(SIGKILL)
            _ = try? child.wait()
        }
    }
}

extension Digest256 {
    /// Another digest for each number.
    fileprivate func mixed(_ number: Int, _ hasher: MerkleHasher) throws(AiboxError) -> Digest256 {
        try hasher.node(self, try SHA256.digest("\(number)"))
    }
}
