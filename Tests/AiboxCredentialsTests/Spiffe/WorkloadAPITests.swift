import AiboxCredentials
import AiboxSystem
import AiboxTestSupport
import Glibc
import Testing

@Suite("SPIFFE Workload API")
struct WorkloadAPITests {
    private static let id = "spiffe://lab.test/aibox"

    @Test(
        "a JWT-SVID of every algorithm is fetched, for the one audience, and its signature checked",
        arguments: ["RS256", "RS384", "RS512", "ES256", "ES384", "ES512", "PS256", "PS384", "PS512"])
    func jwt(algorithm: String) throws {
        let lab = try WorkloadLab(#"{"algorithm": "\#(algorithm)"}"#)
        let svid = try lab.api().jwtSVID(audience: "https://vault.test:8200")
        #expect(svid.id.description == Self.id && svid.id.trustDomain == "lab.test" && svid.id.path == "/aibox")
        #expect(svid.token.text.split(separator: ".").count == 3 && svid.expires > .now)
        #expect("\(svid)".contains("<secret>") && !"\(svid)".contains(svid.token.text))
        let calls = try lab.calls
        #expect(calls.count == 2 && calls[1].contains("FetchJWTSVID"))
        // As the standard demands of every request; and the server knows how long anybody waits.
        #expect(calls.allSatisfy { $0.contains(#""workload.spiffe.io": "true""#) && $0.contains(#""limited": true"#) })
    }

    @Test(
        "an X.509-SVID is fetched, with the authorities in between, and in a large answer",
        arguments: ["", "x509-middle", "x509-large"])
    func x509(fault: String) throws {
        let lab = try WorkloadLab(#"{"fault": "\#(fault)", "lifetime": 600}"#)
        let svid = try lab.api().x509SVID()
        #expect(svid.id.description == Self.id)
        #expect(svid.expires > .now && svid.expires < Timestamp(seconds: Timestamp.now.seconds + 601))
        try lab.change(#"{"algorithm": "RS256"}"#)
        _ = try lab.api().x509SVID()
    }

    @Test("what a standard leaves open is taken", arguments: ["jwt-no-kid", "jwt-audience-text"])
    func lenient(fault: String) throws {
        let lab = try WorkloadLab()
        try lab.fault(fault)
        #expect(try lab.api().jwtSVID(audience: "a").id.description == Self.id)
    }

    @Test("each JWT-SVID that cannot be trusted is refused, and nothing of it shown")
    func wrongTokens() throws {
        let lab = try WorkloadLab()
        let api = try lab.api()
        let faults: [(String, String)] = [
            ("jwt-none", "algorithm"), ("jwt-hmac", "algorithm"), ("jwt-other-key", "no key"),
            ("jwt-unknown-kid", "no key"), ("jwt-kid-of-another", "no key"), ("jwt-kid-number", "kid is no text"),
            ("jwt-short-key", "no key"), ("jwt-audience", "not for a"), ("jwt-no-audience", "not for a"),
            ("jwt-expired", "expired"), ("jwt-no-expiry", "when it expires"), ("jwt-expiry-text", "when it expires"),
            ("jwt-future", "not valid yet"), ("jwt-subject", "another workload"), ("jwt-no-subject", "no SPIFFE ID"),
            ("jwt-bad-id", "no SPIFFE ID"), ("jwt-root-id", "no path"), ("jwt-foreign", "no keys of other.test"),
            ("jwt-header", "member jku"), ("jwt-critical", "member crit"), ("jwt-type", "something else"),
            ("jwt-changed", "no key"), ("jwt-null-signature", "no key"), ("jwt-no-signature", "no key"),
            ("jwt-unsigned", "no signed JWT"), ("jwt-garbage", "no signed JWT"), ("jwt-padded", "no signed JWT"),
            ("jwt-empty", "no signed JWT"), ("jwt-long", "no signed JWT"), ("bundle-garbage", "no JWK Set"),
            ("bundle-empty", "no key"), ("bundle-use", "no key"), ("bundle-none", "empty"),
            ("bundle-other", "no keys of lab.test"), ("garbage", "cannot be read"), ("cut", "cannot be read"),
            ("none", "lists none"), ("many", "cannot be read"), ("oversized", "longer than 4 MiB"),
        ]
        for (fault, words) in faults {
            try lab.fault(fault)
            let error = #expect(throws: AiboxError.self, "\(fault)") { try api.jwtSVID(audience: "a") }
            let text = error?.description ?? ""
            #expect(text.contains(words) && !text.contains("eyJ"), "\(fault): \(text)")
            if fault.hasPrefix("jwt-") { #expect(error?.code == .integrity, "\(fault)") }
        }
    }

    @Test("each X.509-SVID that cannot be trusted is refused")
    func wrongCertificates() throws {
        let lab = try WorkloadLab()
        let api = try lab.api()
        let faults: [(String, String)] = [
            ("x509-two-uris", "2 names"), ("x509-no-uri", "0 names"), ("x509-other-id", "another workload"),
            ("x509-authority", "authority's"), ("x509-no-usage", "what its key is for"),
            ("x509-usage-not-critical", "critical"), ("x509-signs-certificates", "may sign"),
            ("x509-signs-revocations", "may sign"), ("x509-no-signature", "not for signatures"),
            ("x509-servers-only", "clients and servers"), ("x509-clients-only", "clients and servers"),
            ("x509-expired", "expired"), ("x509-future", "not valid yet"), ("x509-foreign", "authority"),
            ("x509-self-signed", "authority"), ("x509-middle-missing", "authority"), ("x509-bad-id", "no SPIFFE ID"),
            ("x509-http-id", "no SPIFFE ID"), ("x509-root-id", "no path"), ("x509-other-key", "does not fit"),
            ("x509-broken-key", "private key"), ("x509-encrypted-key", "private key"),
            ("x509-trailing-key", "private key"), ("x509-trailing", "something else"), ("x509-changed", "authority"),
            ("x509-no-chain", "missing"), ("x509-no-key", "missing"), ("x509-no-bundle", "missing"),
            ("x509-broken-bundle", "something else"), ("x509-no-id", "missing"), ("garbage", "cannot be read"),
            ("cut", "cannot be read"), ("none", "lists none"), ("many", "cannot be read"),
            ("oversized", "longer than 4 MiB"),
        ]
        for (fault, words) in faults {
            try lab.fault(fault)
            let error = #expect(throws: AiboxError.self, "\(fault)") { try api.x509SVID() }
            #expect(error?.description.contains(words) == true, "\(fault): \(error?.description ?? "")")
            if fault.hasPrefix("x509-") { #expect(error?.code == .integrity, "\(fault)") }
        }
    }

    @Test("no identity, no agent and a slow one are told apart, each with what to do")
    func failures() throws {
        let lab = try WorkloadLab()
        func fails(_ fault: String, _ words: [String], timeout: Duration = .seconds(20)) throws {
            try lab.fault(fault)
            for _ in 0..<2 {
                let error = #expect(throws: AiboxError.self, "\(fault)") {
                    try lab.api(timeout: timeout).jwtSVID(audience: "a")
                }
                for word in words { #expect(error?.description.contains(word) == true, "\(error?.description ?? "")") }
                let other = #expect(throws: AiboxError.self) { try lab.api(timeout: timeout).x509SVID() }
                #expect(other?.what == error?.what)
            }
        }
        try fails("permission-denied", ["no SPIFFE identity", "no identity issued: 100% über\\u{1b}[31m", "entry"])
        try fails("unavailable", ["no identity issued", "agent runs"])
        try fails("unimplemented", ["does not offer", "vault_auth"])
        try fails("internal", ["no identity issued"])
        let begin = ContinuousClock.now
        try fails("silent", ["in time"], timeout: .milliseconds(300))
        #expect(ContinuousClock.now - begin < .seconds(5))
        lab.stop()
        try fails("", ["agent runs"])
    }

    @Test("an agent's socket in a folder that anybody may write to is not asked")
    func openFolder() throws {
        let lab = try WorkloadLab()
        try SystemCommandRunner().require(Command("chmod", ["1777", lab.folder.path]), "chmod")
        for _ in 0..<2 {
            let error = #expect(throws: AiboxError.self) { try lab.api().x509SVID() }
            #expect(error?.code == .integrity && error?.description.contains("anybody may put") == true)
        }
        #expect(throws: AiboxError.self) { try lab.api().jwtSVID(audience: "a") }
        #expect(throws: AiboxError.self) {
            try X509SVIDWatcher(lab.api()).next(deadline: .now + .milliseconds(100))
        }
        #expect(try lab.calls.isEmpty)
    }

    @Test("the server refuses who leaves the standard's header out: it is the client that sets it")
    func header() throws {
        let lab = try WorkloadLab()
        let script = """
            import grpc
            from spiffe._proto import workload_pb2 as pb, workload_pb2_grpc as stubs
            stub = stubs.SpiffeWorkloadAPIStub(grpc.insecure_channel("unix:\(lab.folder.path)/api.sock"))
            try: stub.FetchJWTSVID(pb.JWTSVIDRequest(audience=["a"]))
            except grpc.RpcError as error: print(error.code().name)
            """
        let result = try SystemCommandRunner().run(Command(WorkloadLab.python, ["-c", script]))
        #expect(result.text.contains("INVALID_ARGUMENT"), "\(result.text)")
        _ = try lab.api().jwtSVID(audience: "a")
    }

    @Test("a watcher gives each new certificate, tells when the identity is taken back, and when it returns")
    func rotation() throws {
        let lab = try WorkloadLab()
        let watcher = X509SVIDWatcher(try lab.api())
        func next(_ limit: Duration = .seconds(20)) throws -> X509SVIDWatcher.Update? {
            try watcher.next(deadline: .now + limit)
        }
        guard case .svid(let first)? = try next() else { throw Unexpected() }
        #expect(try next(.milliseconds(200)) == nil)
        try lab.change(#"{"generation": 2, "lifetime": 1800}"#)
        guard case .svid(let second)? = try next() else { throw Unexpected() }
        #expect(second.expires < first.expires)
        // Two changes, one after the other, on the one stream.
        try lab.change(#"{"generation": 3, "id": "spiffe://lab.test/other"}"#)
        guard case .svid(let third)? = try next() else { throw Unexpected() }
        #expect(third.id.path == "/other")
        #expect(try lab.calls.count == 1)
        // One that cannot be trusted is an error, and the next is taken again.
        try lab.change(#"{"generation": 4, "fault": "x509-foreign"}"#)
        #expect(throws: AiboxError.self) { try next() }
        try lab.change(#"{"generation": 5}"#)
        guard case .svid? = try next() else { throw Unexpected() }
        try lab.fault("permission-denied")
        guard case .withdrawn(let why)? = try next() else { throw Unexpected() }
        #expect(why.what.contains("no SPIFFE identity"))
        // Told once; who waits longer hears why there is nothing.
        #expect(throws: AiboxError.self) { try next(.milliseconds(900)) }
        try lab.change(#"{"generation": 6}"#)
        guard case .svid? = try next() else { throw Unexpected() }
        // A server that ends the stream is asked anew.
        try lab.change(#"{"generation": 7, "fault": "hang-up"}"#)
        guard case .svid? = try next() else { throw Unexpected() }
        try lab.change(#"{"generation": 8}"#)
        guard case .svid? = try next() else { throw Unexpected() }
    }

    @Test("a watcher does not run hot while the agent is away")
    func backOff() throws {
        let lab = try WorkloadLab(#"{"fault": "unavailable"}"#)
        let watcher = X509SVIDWatcher(try lab.api())
        #expect(throws: AiboxError.self) { try watcher.next(deadline: .now + .seconds(3)) }
        #expect(try (2...5).contains(lab.calls.count))
        // What no other try could mend ends the waiting.
        try lab.fault("unimplemented")
        let begin = ContinuousClock.now
        #expect(throws: AiboxError.self) { try watcher.next(deadline: .now + .seconds(60)) }
        #expect(ContinuousClock.now - begin < .seconds(20))
    }

    struct Unexpected: Error {}

    /// The ways of Tests/lab/hostile_workload_api.py, and what is said of each.
    static let ways: [(String, String)] = [
        ("reset", "INTERNAL_ERROR"), ("refused", "REFUSED_STREAM"), ("goaway", "REFUSED_STREAM"),
        ("goaway-error", ""), ("hang-up", "hung up"), ("http1", "protocol"), ("http-status", "status 503"),
        ("html", "none of gRPC's"), ("no-status", ""), ("empty", "empty"), ("odd-status", "%zz\\u{1b}[31m"),
        ("compressed", "compressed"), ("encoding", "compressed"), ("huge-length", "longer than"),
        ("cut", ""), ("huge-message", ""), ("ping-flood", "too many frames"), ("settings-flood", "too many frames"),
        ("empty-data-flood", "too many frames"), ("unknown-flood", "too many frames"), ("continuation-flood", ""),
        ("header-flood", ""), ("window-abuse", ""), ("push", "protocol"), ("large-frame", "protocol"),
        ("message-flood", ""), ("drip", "in time"),
    ]

    @Test("a hostile server is given up in time, and costs little", arguments: ways)
    func hostile(way: String, words: String) throws {
        let folder = try TemporaryFolder()
        let socket = folder.path + "/api.sock"
        let server = try LabProcess(
            Command("python3", [Lab.programs + "/hostile_workload_api.py", socket, way]), ready: "ready")
        defer { server.stop() }
        let endpoint = try WorkloadEndpoint(setting: "unix:" + socket, environment: [:])
        let api = WorkloadAPI(endpoint, timeout: .seconds(2))
        let begin = ContinuousClock.now
        for _ in 0..<2 {
            let error = #expect(throws: AiboxError.self) { try api.x509SVID() }
            #expect(error?.description.contains(words) == true, "\(way): \(error?.description ?? "")")
        }
        #expect(ContinuousClock.now - begin < .seconds(15))
        // Nor does it make a watcher run on.
        #expect(throws: AiboxError.self) {
            _ = try X509SVIDWatcher(api).next(deadline: .now + .milliseconds(400))
        }
    }

    @Test("a flood makes aibox no larger than a server that hangs up does, but for a message and some windows")
    func size() throws {
        let folder = try TemporaryFolder()
        let program = try AiboxProgram(settings: [
            "AIBOX_CREDENTIALS_STORE": "vault", "AIBOX_CREDENTIALS_VAULT_ADDR": "https://localhost:1",
            "AIBOX_CREDENTIALS_VAULT_AUTH": "spiffe-x509",
            "AIBOX_CREDENTIALS_SPIFFE_ENDPOINT": "unix://\(folder.path)/api.sock",
        ])
        let script = """
            import resource, subprocess, sys
            print(subprocess.run(sys.argv[1:], stdin=subprocess.DEVNULL, capture_output=True, text=True))
            print("peak", resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
            """
        func peak(_ way: String) throws -> Int {
            let server = try LabProcess(
                Command("python3", [Lab.programs + "/hostile_workload_api.py", folder.path + "/api.sock", way]),
                ready: "ready")
            defer {
                server.stop()
                unlink(folder.path + "/api.sock")
            }
            var command = program.command(["auth", "status"])
            command.arguments = ["-c", script, command.executable] + command.arguments
            command.executable = "python3"
            let text = try SystemCommandRunner().run(command).text
            #expect(
                text.contains("SPIFFE") && text.contains("returncode=1") || text.contains("returncode=4"), "\(text)")
            return text.split(separator: " ").last.flatMap { Int($0.filter(\.isNumber)) } ?? .max
        }
        // KiB.
        let ordinary = try peak("hang-up")
        for way in [
            "huge-message", "ping-flood", "settings-flood", "empty-data-flood", "unknown-flood", "continuation-flood",
            "header-flood", "window-abuse", "message-flood", "large-frame",
        ] {
            let size = try peak(way)
            #expect(size < ordinary + (48 << 10), "\(way): \(size) KiB, else \(ordinary)")
        }
    }
}
