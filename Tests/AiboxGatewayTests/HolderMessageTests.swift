import Testing

@testable import AiboxGateway

@Suite("The holder takes exactly its own requests")
struct HolderMessageTests {
    static let requests: [(HolderRequest, String)] = [
        (HolderRequest(id: 1, action: .listen(IPv4(10, 200, 1, 1), 80)), "1 listen 10.200.1.1:80"),
        (HolderRequest(id: 2, action: .bind(IPv4(10, 200, 1, 1), 53)), "2 bind 10.200.1.1:53"),
        (
            HolderRequest(id: 3, action: .dial(IPv4(10, 200, 1, 2), 2222, milliseconds: 5000)),
            "3 dial 10.200.1.2:2222 5000"
        ),
        (
            HolderRequest(id: 4, action: .filter(OpenPorts(tcp: [80, 443], udp: [53], box: [2222, 8080]))),
            "4 filter 80,443 53 2222,8080"
        ),
        (HolderRequest(id: 5, action: .filter(OpenPorts(box: []))), "5 filter - - -"),
        (HolderRequest(id: 8, action: .cut), "8 cut"), (HolderRequest(id: 9, action: .repair), "9 repair"),
        (HolderRequest(id: 6, action: .readdress), "6 readdress"),
        (HolderRequest(id: .max, action: .exit), "4294967295 exit"),
    ]

    @Test("requests", arguments: requests)
    func request(request: HolderRequest, text: String) {
        #expect(String(decoding: request.bytes, as: UTF8.self) == text)
        #expect(HolderRequest(Array(text.utf8)) == request)
    }

    static let refused = [
        "", " ", "\n", "1", "1 ", "x listen 10.200.1.1:80", "-1 exit", "4294967296 exit", " 1 exit", "1  exit",
        "1 exit ", "1 exit\n", "1 exit now", "1 EXIT", "1 listen", "1 listen 10.200.1.1", "1 listen 10.200.1.1:",
        "1 listen 10.200.1.1:0", "1 listen 10.200.1.1:65536", "1 listen 10.200.1.1:80:80", "1 listen 10.200.1:80",
        "1 listen 010.200.1.1:80", "1 listen 0x0a.200.1.1:80", "1 listen 10.200.1.256:80", "1 listen ::1:80",
        "1 listen 10.200.1.1:80\n", "1 listen 10.200.1.1:80 x", "1 dial 10.200.1.2:2222", "1 dial 10.200.1.2:2222 0",
        "1 dial 10.200.1.2:2222 -1", "1 dial 10.200.1.2:2222 60001", "1 filter", "1 filter - -", "1 filter - - - -",
        "1 filter 80, - -", "1 filter 0 - -", "1 filter 65536 - -", "1 filter 080 - -", "1 filter 80;flush - -",
        "1 filter -\n- -", "1 filter  - -", "1 readdress\nx", "1 cut now", "1 repair x",
    ]

    @Test("refused", arguments: refused)
    func refuses(text: String) {
        #expect(HolderRequest(Array(text.utf8)) == nil)
    }

    @Test("a request beyond the limit, or not UTF-8, is refused")
    func large() {
        let ports = String(repeating: "80,", count: HolderRequest.limit / 3)
        #expect(HolderRequest(Array("1 filter \(ports)80 - -".utf8)) == nil)
        #expect(HolderRequest(Array("1 filter 80 - ".utf8) + [0xFF]) == nil)
    }

    static let replies: [(HolderReply, String)] = [
        (HolderReply(id: 0, outcome: .ready(restingPid: 12)), "0 ready 12"),
        (HolderReply(id: 9, outcome: .done), "9 done"),
        (HolderReply(id: 9, outcome: .failed(what: "a b", why: "c\nd")), "9 failed\na b\nc\nd"),
        (HolderReply(id: 9, outcome: .failed(what: "a", why: "")), "9 failed\na\n"),
        (HolderReply(id: 0, outcome: .drift("a\nb")), "0 drift\na\nb"),
        (
            HolderReply(
                id: 0,
                outcome: .dropped([
                    DroppedPackets(counter: "denied_a", count: 1), DroppedPackets(counter: "denied_b", count: .max),
                ])), "0 dropped denied_a=1,denied_b=18446744073709551615"
        ),
    ]

    @Test("replies", arguments: replies)
    func reply(reply: HolderReply, text: String) {
        #expect(String(decoding: reply.bytes, as: UTF8.self) == text)
        #expect(HolderReply(Array(text.utf8)) == reply)
    }

    @Test(
        "refused replies",
        arguments: [
            "", "x done", "1 ready", "1 ready 0", "1 ready -4", "1 done x", "1 failed", "1 failed\na", "0 dropped",
            "0 dropped ", "0 dropped a", "0 dropped a=", "0 dropped =1", "0 dropped a=0", "0 dropped a=01",
            "0 dropped a=-1", "0 dropped a=1,", "0 dropped A=1", "0 dropped a=1 b=1", "0 dropped a=1=1",
        ])
    func refusesReply(text: String) {
        #expect(HolderReply(Array(text.utf8)) == nil)
    }

    @Test("what counters gained is told once, also of a counter that was made anew")
    func gained() {
        let before: [String: UInt64] = ["denied_a": 5, "denied_b": 5, "denied_c": 5, "allowed_d": 1]
        let now: [String: UInt64] = ["denied_a": 5, "denied_b": 8, "denied_c": 2, "allowed_d": 9, "denied_e": 1]
        #expect(
            DroppedPackets.gained(now, since: before) == [
                DroppedPackets(counter: "denied_b", count: 3), DroppedPackets(counter: "denied_c", count: 2),
                DroppedPackets(counter: "denied_e", count: 1),
            ])
        #expect(DroppedPackets.gained(now, since: now).isEmpty)
    }

    @Test("random packets never do worse than being refused")
    func noise() {
        var random = SystemRandomNumberGenerator()
        let words = [
            "1", "listen", "dial", "bind", "filter", "10.200.1.1:80", ":", "\n", " ", "ready", "done", "\u{0}", "é",
        ]
        for _ in 0..<20_000 {
            let text = (0..<Int.random(in: 0..<7)).map { _ in words.randomElement(using: &random) ?? "" }.joined()
            if let request = HolderRequest(Array(text.utf8)) {
                #expect(HolderRequest(request.bytes) == request)
            }
            if let reply = HolderReply(Array(text.utf8)) { #expect(HolderReply(reply.bytes) == reply) }
            _ = HolderRequest((0..<20).map { _ in UInt8.random(in: 0...255) })
        }
    }
}
