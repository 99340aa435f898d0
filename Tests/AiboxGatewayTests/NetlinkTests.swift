import Testing

@testable import AiboxGateway

/// The bytes are written out by field, so that they can be held against rtnetlink(7).
@Suite("Requests to the kernel are exactly these bytes")
struct NetlinkTests {
    @Test("loopback up")
    func loopback() {
        #expect(
            SandboxLink.loopbackUp().bytes(sequence: 7) == [
                32, 0, 0, 0,  // length
                16, 0,  // RTM_NEWLINK
                5, 0,  // NLM_F_REQUEST | NLM_F_ACK
                7, 0, 0, 0,  // sequence
                0, 0, 0, 0,  // port
                0, 0, 0, 0,  // family, padding, type
                1, 0, 0, 0,  // interface 1
                1, 0, 0, 0,  // IFF_UP
                1, 0, 0, 0,  // of the flags, only IFF_UP
            ])
    }

    @Test("the cable")
    func cable() {
        #expect(
            SandboxLink.lay(to: 9).bytes(sequence: 1) == [
                100, 0, 0, 0, 16, 0,
                5, 6,  // NLM_F_REQUEST | NLM_F_ACK | NLM_F_EXCL | NLM_F_CREATE
                1, 0, 0, 0, 0, 0, 0, 0,
                0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,  // interface 2, down
                9, 0, 3, 0, 98, 111, 120, 48, 0, 0, 0, 0,  // IFLA_IFNAME "box0", padded
                56, 0, 18, 0,  // IFLA_LINKINFO
                8, 0, 1, 0, 118, 101, 116, 104,  // IFLA_INFO_KIND "veth"
                44, 0, 2, 0,  // IFLA_INFO_DATA
                40, 0, 1, 0,  // VETH_INFO_PEER
                0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,  // interface 2 there too, down
                9, 0, 3, 0, 101, 116, 104, 48, 0, 0, 0, 0,  // IFLA_IFNAME "eth0", padded
                8, 0, 28, 0, 9, 0, 0, 0,  // IFLA_NET_NS_FD 9
            ])
    }

    @Test("the sandbox's address and its only route")
    func boxEnd() {
        let messages = SandboxLink.boxEnd().map { $0.bytes(sequence: 1) }
        #expect(messages.count == 3)
        #expect(
            messages.first == [
                40, 0, 0, 0, 20, 0,  // RTM_NEWADDR
                5, 5,  // NLM_F_REQUEST | NLM_F_ACK | NLM_F_REPLACE | NLM_F_CREATE
                1, 0, 0, 0, 0, 0, 0, 0,
                2, 24, 0, 0,  // AF_INET, /24, flags, scope
                2, 0, 0, 0,  // interface 2
                8, 0, 2, 0, 10, 200, 1, 2,  // IFA_LOCAL
                8, 0, 1, 0, 10, 200, 1, 2,  // IFA_ADDRESS
            ])
        #expect(
            messages.last == [
                44, 0, 0, 0, 24, 0,  // RTM_NEWROUTE
                5, 5, 1, 0, 0, 0, 0, 0, 0, 0,
                2, 0, 0, 0,  // AF_INET, any destination, any source
                254, 3, 0, 1,  // RT_TABLE_MAIN, RTPROT_BOOT, RT_SCOPE_UNIVERSE, RTN_UNICAST
                0, 0, 0, 0,
                8, 0, 5, 0, 10, 200, 1, 1,  // RTA_GATEWAY
                8, 0, 4, 0, 2, 0, 0, 0,  // RTA_OIF
            ])
    }

    static let replies: [(why: String, bytes: [UInt8], verdict: Int32?)] = [
        ("done", [36, 0, 0, 0, 2, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0] + [UInt8](repeating: 0, count: 16), 0),
        (
            "not permitted",
            [36, 0, 0, 0, 2, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0, 255, 255, 255, 255] + [UInt8](repeating: 0, count: 16), -1
        ),
        ("another request's", [20, 0, 0, 0, 2, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], nil),
        ("not a verdict", [20, 0, 0, 0, 3, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], nil),
        (
            "behind another message",
            [
                16, 0, 0, 0, 3, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0, 20, 0, 0, 0, 2, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0, 254,
                255, 255, 255,
            ],
            -2
        ),
        ("cut short", [36, 0, 0, 0, 2, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0], nil),
        ("a length of nothing", [0, 0, 0, 0, 2, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], nil),
        ("an endless length", [255, 255, 255, 255, 2, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], nil),
        ("a verdict without room for one", [16, 0, 0, 0, 2, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0], nil),
        ("nothing", [], nil),
    ]

    @Test("the kernel's answers", arguments: replies)
    func reply(why: String, bytes: [UInt8], verdict: Int32?) {
        #expect(NetlinkReply.verdict(bytes[...], sequence: 5) == verdict, "\(why)")
    }
}
