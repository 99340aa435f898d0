import AiboxNetwork
import AiboxSystem
import AiboxTestSupport
import Testing

/// The rendered resolver, running, asked the way a sandbox would ask it.
@Suite("The resolver", .serialized)
struct ResolverTests {
    /// Questions and what has to be answered; both renderers promise the same.
    static let questions: [(what: String, arguments: [String], status: String, address: String?)] = [
        ("a listed name", ["api.example.com", "A"], "NOERROR", "10.200.1.1"),
        ("in capitals", ["API.Example.COM", "A"], "NOERROR", "10.200.1.1"),
        ("over TCP", ["+tcp", "api.example.com", "A"], "NOERROR", "10.200.1.1"),
        ("our services", ["gateway.aibox.internal", "A"], "NOERROR", "10.200.1.1"),
        ("the address of IPv6 kind", ["api.example.com", "AAAA"], "NOERROR", nil),
        (
            "the HTTPS record, which would carry keys for encrypted hellos", ["api.example.com", "HTTPS"], "NOERROR",
            nil
        ),
        ("text of a listed name", ["api.example.com", "TXT"], "NOERROR", nil),
        ("a name below a wildcard", ["x.internal.example", "A"], "NOERROR", "10.200.1.1"),
        ("C03: data below a listed name", ["c2VjcmV0.api.example.com", "A"], "NXDOMAIN", nil),
        ("C01: data below an unlisted name", ["mzxw6ytboi.evil.test", "A"], "NXDOMAIN", nil),
        ("C01: as AAAA", ["mzxw6ytboi.evil.test", "AAAA"], "NXDOMAIN", nil),
        ("C01: as TXT", ["mzxw6ytboi.evil.test", "TXT"], "NXDOMAIN", nil),
        ("C01: as NULL", ["mzxw6ytboi.evil.test", "NULL"], "NXDOMAIN", nil),
        ("C01: as HTTPS", ["mzxw6ytboi.evil.test", "HTTPS"], "NXDOMAIN", nil),
        ("C01: as ANY", ["mzxw6ytboi.evil.test", "ANY"], "NXDOMAIN", nil),
        ("the parent of a listed name", ["example.com", "A"], "NXDOMAIN", nil),
        ("a look-alike", ["xapi.example.com", "A"], "NXDOMAIN", nil),
        ("the root", [".", "NS"], "NXDOMAIN", nil),
        ("the gateway's address backwards", ["-x", "10.200.1.1"], "NXDOMAIN", nil),
        ("the resolver's version", ["version.bind", "TXT", "CH"], "REFUSED", nil),
        ("a zone transfer", ["example.com", "AXFR"], "REFUSED", nil),
    ]

    @Test("unbound answers for listed names only, and every answer is in its log")
    func unbound() throws {
        let gateway = try NetworkNamespace()
        let box = try gateway.sibling()
        try gateway.connect("box0", "10.200.1.1/24", to: box, "eth0", "10.200.1.2/24")
        let folder = try TemporaryFolder()
        let path = try folder.write(
            "unbound.conf", UnboundConfiguration(zone: ResolverZone(.example), folder: folder.path).text)
        let errors = try Pipe()
        let resolver = try LabProcess(
            gateway.command(Command("unbound", ["-c", path])), ready: nil, errors: errors.write.number)
        errors.write.close()
        var lines: [ResolverLogLine] = []
        for _ in 0..<20 { if try errors.read.readLine().contains("start of service") { break } }
        for question in Self.questions {
            let arguments = ["+time=2", "+tries=1", "+noall", "+comments", "+answer", "+norecurse", "@10.200.1.1"]
            let answer = try SystemCommandRunner().run(box.command(Command("dig", arguments + question.arguments)))
            let line = try #require(
                ResolverLogLine(Array(try errors.read.readLine().utf8)[...]), "\(question.what) is not in the log")
            lines.append(line)
            #expect(line.code == question.status, "\(question.what)")
            // dig shows no status of a failed transfer.
            if !question.arguments.contains("AXFR") {
                #expect(answer.text.contains("status: \(question.status)"), "\(question.what): \(answer.text)")
            }
            let addresses = answer.text.split(separator: "\n").filter { !$0.hasPrefix(";") && $0.contains("IN") }
            #expect(
                addresses.map { $0.split(separator: "\t").last.map(String.init) }
                    == (question.address.map { [$0] } ?? []), "\(question.what)")
        }
        #expect(lines.count == Self.questions.count && lines.allSatisfy { $0.client == IPAddress("10.200.1.2") })
        resolver.stop()
    }

    @Test("the answers that both renderers promise, as a value")
    func reference() throws {
        let zone = ResolverZone(.example)
        let types: [String: DNSType] = [
            "A": .a, "AAAA": .aaaa, "TXT": .txt, "NULL": .null, "HTTPS": .https, "ANY": .any,
        ]
        for question in Self.questions {
            let words = question.arguments.filter { !$0.hasPrefix("+") }
            guard words.count == 2, let type = types[words[1]] else { continue }
            let query = DNSMessage(identifier: 7, questions: [.init(name: DNSName(words[0]), type: type)])
            let answer = zone.answer(try DNSMessage(wire: query.wire))
            #expect(answer.responseCode == (question.status == "NOERROR" ? 0 : 3), "\(question.what)")
            #expect(
                answer.answers.compactMap { $0.address?.description } == (question.address.map { [$0] } ?? []),
                "\(question.what)")
        }
        let dotted = DNSName(labels: [Array("api.example".utf8), Array("com".utf8)])
        let trick = DNSMessage(identifier: 7, questions: [.init(name: dotted, type: .a)])
        #expect(zone.answer(trick).answers.isEmpty, "a dot inside a label is no separator")
    }

    @Test("lines of both programs are read, others are not")
    func log() {
        let unbound = "[1700000000] unbound[17:0] info: 10.200.1.2 ev\u{1b}l.test. TXT IN NXDOMAIN 0.000000 1 37"
        let line = ResolverLogLine(Array(unbound.utf8)[...])
        #expect(line?.name == "ev?l.test." && line?.type == "TXT" && line?.isRefused == true)
        let core = ResolverLogLine(Array("[INFO] aibox1 10.200.1.2 a.test. A IN NOERROR".utf8)[...])
        #expect(core?.name == "a.test." && core?.isRefused == false)
        for text in [
            "", "[1] unbound[17:0] info: start of service (unbound 1.17.1).",
            "[1] unbound[17:0] notice: init module 0: iterator", "aibox1",
        ] {
            #expect(ResolverLogLine(Array(text.utf8)[...]) == nil)
        }
    }
}
