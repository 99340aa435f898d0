import AiboxCredentials
import AiboxNetwork
import AiboxSystem
import Testing

@Suite("Surrogates")
struct SurrogateTests {
    private static let now = ContinuousClock.now
    private static let use = SurrogateUse(
        sandbox: "anna-1", host: HostName.git, path: "/team/x.git/info/refs?service=git-upload-pack", place: .basic)

    private static func lent(
        _ name: String = "git-token:git.example", _ hosts: [String] = ["git.example/team"]
    ) throws -> (SurrogateLedger, Surrogate) {
        var ledger = SurrogateLedger()
        let credential = try Credential(
            try CredentialName(name), destinations: try hosts.map { try CredentialDestination($0) })
        let surrogate = try ledger.lend(
            SurrogateBinding(sandbox: "anna-1", credential), for: .seconds(3600), now: now)
        return (ledger, surrogate)
    }

    @Test("the one use that it is for is granted")
    func granted() throws {
        let (ledger, surrogate) = try Self.lent()
        #expect(
            ledger.check(surrogate.secret.bytes, Self.use, now: Self.now)
                == .success(try CredentialName("git-token:git.example")))
    }

    /// A use that differs from the one lent in one thing.
    struct Misuse: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var refusal: SurrogateRefusal
        var change: @Sendable (inout SurrogateUse) -> Void

        init(
            _ name: String, _ refusal: SurrogateRefusal, _ change: @escaping @Sendable (inout SurrogateUse) -> Void
        ) {
            testDescription = name
            self.refusal = refusal
            self.change = change
        }
    }

    @Test(
        "every other use is refused for what is wrong with it",
        arguments: [
            Misuse("another sandbox", .sandbox) { $0.sandbox = "anna-2" },
            Misuse("no sandbox", .sandbox) { $0.sandbox = "" },
            Misuse("plain http", .scheme) { $0.isEncrypted = false }, Misuse("another host", .host) { $0.host = .evil },
            Misuse("another port", .port) { $0.port = 8443 }, Misuse("port 80", .port) { $0.port = 80 },
            Misuse("another path", .path) { $0.path = "/other/x.git" },
            Misuse("a longer segment", .path) { $0.path = "/teams" },
            Misuse("dots out of the path", .path) { $0.path = "/team/../other" },
            Misuse("escaped dots", .path) { $0.path = "/team/%2E%2e/other" },
            Misuse("no path at all", .path) { $0.path = "" },
            Misuse("a header of its own", .place) { $0.place = .header("x-api-key") },
            Misuse("bearer", .place) { $0.place = .bearer },
        ])
    func refused(misuse: Misuse) throws {
        let (ledger, surrogate) = try Self.lent()
        var use = Self.use
        misuse.change(&use)
        #expect(ledger.check(surrogate.secret.bytes, use, now: Self.now) == .failure(misuse.refusal))
    }

    @Test("it dies at its end, to the nanosecond, and when it is taken back")
    func ends() throws {
        var (ledger, surrogate) = try Self.lent()
        let bytes = surrogate.secret.bytes
        let last = Self.now.advanced(by: .seconds(3600) - .nanoseconds(1))
        #expect((try? ledger.check(bytes, Self.use, now: last).get()) != nil)
        #expect(ledger.check(bytes, Self.use, now: Self.now.advanced(by: .seconds(3600))) == .failure(.expired))
        #expect(ledger.ending(within: .seconds(60), now: Self.now).isEmpty)
        #expect(ledger.ending(within: .seconds(60), now: last).count == 1)
        #expect(ledger.revoke(sandbox: "anna-2", now: Self.now).isEmpty)
        #expect(ledger.revoke(sandbox: "anna-1", now: Self.now) == [surrogate.digest])
        #expect(ledger.check(bytes, Self.use, now: Self.now) == .failure(.revoked))
        #expect(ledger.count(now: Self.now) == 0)
        #expect(ledger.revoke(now: Self.now).isEmpty)
    }

    @Test("a credential's surrogates can be renewed while the old one still lives")
    func renewed() throws {
        var (ledger, first) = try Self.lent()
        let credential = try Credential(
            try CredentialName("git-token:git.example"), destinations: [try CredentialDestination("git.example/team")])
        let second = try ledger.lend(
            SurrogateBinding(sandbox: "anna-1", credential), for: .seconds(60), now: Self.now)
        #expect(first.secret != second.secret)
        for surrogate in [first, second] {
            #expect((try? ledger.check(surrogate.secret.bytes, Self.use, now: Self.now).get()) == credential.name)
        }
        #expect(ledger.revoke(credential: credential.name, now: Self.now).count == 2)
    }

    @Test("the real value, a guess, a cut, a changed and a stranger's surrogate are nothing")
    func strangers() throws {
        let (ledger, surrogate) = try Self.lent()
        let (_, other) = try Self.lent()
        let text = surrogate.secret.text
        #expect(ledger.check(other.secret.bytes, Self.use, now: Self.now) == .failure(.unknown))
        for index in text.utf8.indices {
            var bytes = Array(text.utf8)
            let offset = text.utf8.distance(from: text.utf8.startIndex, to: index)
            bytes[offset] = bytes[offset] == UInt8(ascii: "0") ? UInt8(ascii: "1") : UInt8(ascii: "0")
            let result = ledger.check(bytes, Self.use, now: Self.now)
            #expect(result == .failure(.malformed), "character \(offset)")
        }
        for bad in ["", text.uppercased(), text + "0", String(text.dropLast()), " " + text, text + "\n", "ghp_real"] {
            #expect(ledger.check(Array(bad.utf8), Self.use, now: Self.now) == .failure(.malformed))
        }
    }

    @Test("it says what it is, fits everywhere, and never twice the same", arguments: CredentialType.allCases)
    func form(type: CredentialType) throws {
        var seen: Set<String> = []
        for _ in 0..<200 {
            let surrogate = try Surrogate(for: type)
            let text = surrogate.secret.text
            #expect(text.hasPrefix("aibox_sur_\(type.kind)_") && Surrogate.isWellFormed(text))
            #expect(text.utf8.allSatisfy { (0x61...0x7a).contains($0) || (0x30...0x39).contains($0) || $0 == 0x5f })
            #expect(surrogate.digest.short.utf8.count == 8 && !text.contains(surrogate.digest.short))
            #expect("\(surrogate)".contains(text) == false)
            seen.insert(text)
        }
        #expect(seen.count == 200)
    }

    @Test("for random loans and uses, what is granted is exactly what was lent")
    func property() throws {
        var random = SplitMix(seed: 6)
        func one<Element>(_ all: [Element]) -> Element { all[Int(random.next() % UInt64(all.count))] }
        let sandboxes = ["a", "b"]
        let hosts = [HostName.git, .evil]
        let paths = ["/", "/team", "/team/x", "/teams", "/team/../x"]
        let places: [CredentialPlace] = [.basic, .bearer, .header("x-api-key")]
        var granted = 0
        for _ in 0..<3000 {
            var ledger = SurrogateLedger()
            let path = one(["", "/team"])
            let destination = try CredentialDestination(one(hosts).text + one(["", ":8443"]) + path)
            let binding = SurrogateBinding(
                sandbox: one(sandboxes), credential: .llm(.custom), destinations: [destination], place: one(places))
            let life = Int(random.next() % 5)
            guard life > 0 else {
                #expect(throws: AiboxError.self) { try ledger.lend(binding, for: .zero, now: Self.now) }
                continue
            }
            let surrogate = try ledger.lend(binding, for: .seconds(life), now: Self.now)
            let use = SurrogateUse(
                sandbox: one(sandboxes), isEncrypted: one([true, true, true, false]), host: one(hosts),
                port: one([443, 8443]), path: one(paths), place: one(places))
            let age = Int(random.next() % 5)
            let isInPath = path.isEmpty || ["/team", "/team/x"].contains(use.path)
            let expected =
                use.sandbox == binding.sandbox && use.isEncrypted && use.host == destination.host
                && use.port == destination.port && isInPath && use.place == binding.place && age < life
            let result = ledger.check(surrogate.secret.bytes, use, now: Self.now.advanced(by: .seconds(age)))
            #expect((try? result.get()) == (expected ? binding.credential : nil), "\(binding) \(use) \(age) \(life)")
            granted += expected ? 1 : 0
        }
        #expect(granted > 20, "the test grants something at all")
    }

    @Test("a policy shortens lives and never prolongs them")
    func lifetimes() {
        let hour = Duration.seconds(3600)
        #expect(CredentialType.allCases.map { CredentialLifetimes()[$0] } == [hour * 4, hour * 8, hour * 8, hour * 4])
        let bound = CredentialLifetimes(bounds: [.git: hour, .llm: hour * 1500, .mirror: .zero, .custom: .zero - hour])
        #expect(CredentialType.allCases.map { bound[$0] } == [hour, hour * 8, .zero, .zero])
    }
}

extension HostName {
    static let git = named("git.example")
    static let evil = named("evil.example")

    private static func named(_ text: String) -> HostName {
        do { return try HostName(text) } catch { preconditionFailure("\(text) is a host") }
    }
}
