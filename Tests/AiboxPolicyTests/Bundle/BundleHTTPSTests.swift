import AiboxSystem
import AiboxTestSupport
import Testing

@testable import AiboxPolicy

@Suite("Bundles over HTTPS")
struct BundleHTTPSTests {
    private let fixture: BundleFixture
    private let server: LabProcess
    private let authority: String

    init() throws {
        fixture = try BundleFixture()
        let base = fixture.folder.path + "/server"
        authority = base + ".crt"
        try SystemCommandRunner().require(
            Command(
                "openssl",
                [
                    "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                    "-subj",
                    "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", base + ".key", "-out",
                    authority,
                ]), "openssl makes no certificate")
        try File.replace(base + ".pem", with: try File.text(authority) + File.text(base + ".key"))
        let script = Path.parent(Path.parent(Path.parent(#filePath))) + "/lab/bundle_server.py"
        try Folder.make(fixture.folder.path + "/www")
        server = try LabProcess(
            Command("python3", [script, base + ".pem", fixture.folder.path + "/www"]), ready: "ready")
        try fixture.write("www/org.tar.gz", fixture.signed(1))
    }

    private func store(_ path: String, host: String = "localhost", trusts: Bool = true) throws -> BundleStore {
        try fixture.store("https://\(host):\(server.answer)\(path)", authorities: trusts ? authority : nil)
    }

    @Test(
        "a bundle is fetched, whole or in chunks, with a query",
        arguments: ["/org.tar.gz", "/chunked/org.tar.gz", "/a/org.tar.gz?x=1&y"])
    func fetched(path: String) throws {
        let store = try store(path)
        #expect(try fixture.pull(store).version == 1)
        #expect(try store.standing().state == .fresh)
    }

    @Test("one without a signature of its own is asked for beside it")
    func beside() throws {
        try fixture.write("www/plain.tar.gz", BundleArchive.pack([BundleFixture.manifest(), BundleFixture.policy()]))
        #expect(fixture.refusal(try store("/plain.tar.gz")).contains("plain.tar.gz.sig: status 404"))
        try fixture.write("www/plain.tar.gz.sig", Array("AAAA".utf8))
        #expect(fixture.refusal(try store("/plain.tar.gz?q")).contains("none of the configured keys has signed it"))
    }

    @Test("a server that nobody vouches for, or of another name, is not heard")
    func untrusted() throws {
        #expect(fixture.refusal(try store("/org.tar.gz", trusts: false)).contains("its certificate"))
        #expect(fixture.refusal(try store("/org.tar.gz", host: "127.0.0.1")).contains("its certificate"))
    }

    @Test("redirects, missing files, too much, too little and silence are refused in time, and what was kept stays")
    func faults() throws {
        let cases = [
            ("/redirect/org.tar.gz", "it redirects, which is not followed"), ("/none.tar.gz", "status 404"),
            ("/hang/x", ""), ("/drip/x", "takes too long"), ("/claims-much/x", "too long"),
            ("/sends-much/x", "too long"),
            ("/short/org.tar.gz", ""),
        ]
        let before = ContinuousClock.now
        for (path, words) in cases {
            let said = fixture.refusal(try store(path), patience: .seconds(2))
            #expect(said.hasPrefix("failed ") && said.contains(words), "\(path) \(said)")
        }
        #expect(ContinuousClock.now - before < .seconds(30))
    }
}
