import AiboxNetwork
import Testing

@Suite("Addresses")
struct AddressTests {
    @Test(
        "text and back (RFC 5952)",
        arguments: [
            ("1.2.3.4", "1.2.3.4"), ("2001:DB8:0:0:1:0:0:1", "2001:db8::1:0:0:1"), ("::", "::"), ("::1", "::1"),
            ("1::", "1::"), ("1:0:3:4:5:6:7:8", "1:0:3:4:5:6:7:8"), ("::ffff:1.2.3.4", "::ffff:102:304"),
            ("fe80:0:0:0:0:0:0:1", "fe80::1"),
        ])
    func canonical(text: String, expected: String) {
        #expect(IPAddress(text)?.description == expected)
    }

    @Test(
        "the strict reader takes no disguise",
        arguments: [
            "", "1.2.3", "01.2.3.4", "1.2.3.4.", "1.2.3.256", "0x1.2.3.4", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", ":::",
            "1::2::3", ":1::", "1:", "12345::", "::1%eth0", "[::1]", "::1.2.3", "+1.2.3.4", "::+1", "1.2.3.4::",
        ])
    func strict(text: String) {
        #expect(IPAddress(text) == nil)
    }

    @Test(
        "targets that are not public are refused, in every form they come in",
        arguments: [
            "0.0.0.0", "10.1.2.3", "100.64.0.1", "100.100.100.200", "127.0.0.1", "127.255.255.254", "169.254.169.254",
            "168.63.129.16", "172.16.0.1", "172.31.255.255", "192.0.0.192", "192.168.1.1", "198.18.0.1", "224.0.0.1",
            "239.255.255.255", "255.255.255.255", "::", "::1", "::ffff:10.0.0.1", "::ffff:169.254.169.254",
            "64:ff9b::127.0.0.1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "2002:7f00:1::", "2001:0:1::1", "fc00::1",
            "fd00:ec2::254", "fe80::1", "fec0::1", "ff02::1", "100::1", "2001:db8::1", "4000::1", "::127.0.0.1",
        ])
    func refused(text: String) throws {
        let address = try #require(IPAddress(text))
        #expect(TargetPolicy().refusal(of: address) != nil)
        let mappedIsV4 = address.unmapped
        #expect(TargetPolicy().refusedRanges.contains { $0.contains(mappedIsV4) }, "the list says the same")
    }

    @Test(
        "public targets pass",
        arguments: [
            "1.1.1.1", "8.8.8.8", "172.32.0.1", "140.82.121.4", "2606:4700::1111", "2a00:1450::1", "64:ff9b::8.8.8.8",
            "::ffff:8.8.8.8",
        ])
    func passed(text: String) throws {
        let address = try #require(IPAddress(text))
        #expect(TargetPolicy().refusal(of: address) == nil)
        #expect(!TargetPolicy().refusedRanges.contains { $0.contains(address.unmapped) })
    }

    @Test("an opened block opens itself alone, and never this machine")
    func exceptions() throws {
        let policy = TargetPolicy(
            exceptions: [try #require(AddressRange("10.1.0.0/16"))],
            hostAddresses: [try #require(IPAddress("10.1.0.9")), try #require(IPAddress("8.8.4.4"))])
        let verdicts = [
            ("10.1.2.3", false), ("10.2.0.1", true), ("10.1.0.9", true), ("8.8.4.4", true), ("::ffff:10.1.0.9", true),
            ("64:ff9b::10.1.2.3", false), ("9.9.9.9", false),
        ]
        for (text, refused) in verdicts {
            let address = try #require(IPAddress(text))
            #expect((policy.refusal(of: address) != nil) == refused, "\(text)")
        }
    }

    @Test("the list of blocks and the verdict agree on random addresses")
    func agreement() throws {
        let exceptions = try ["10.1.0.0/16", "fd00:1::/32", "192.168.7.7/32"].map { try #require(AddressRange($0)) }
        let policy = TargetPolicy(exceptions: exceptions, hostAddresses: [try #require(IPAddress("10.1.0.9"))])
        let ranges = policy.refusedRanges
        var random = SystemRandomNumberGenerator()
        for _ in 0..<20_000 {
            var address = IPAddress.v4(UInt32.random(in: .min ... .max, using: &random))
            if Bool.random(using: &random) {
                let low = UInt128(UInt64.random(in: .min ... .max, using: &random))
                let heads: [UInt128] = [0x2001, 0xfd00_0001 >> 16, 0x64 << 0, 0x2a00, 0xfe80, 0x3fff, 0x2002]
                address = .v6((heads.randomElement(using: &random) ?? 0) << 112 | low << 20)
            } else if Bool.random(using: &random) {
                address = .v4(0x0A01_0000 | UInt32.random(in: 0...0x1FFFF, using: &random))
            }
            // In these two blocks the verdict refuses more than the list can say.
            if case .v6(let value) = address, [0, 0x64].contains(value >> 112) { continue }
            #expect(
                (policy.refusal(of: address) != nil) == ranges.contains { $0.contains(address.unmapped) }, "\(address)")
        }
    }

    @Test(
        "blocks are read strictly",
        arguments: ["10.0.0.1/8", "10.0.0.0/33", "10.0.0.0/", "/8", "10.0.0.0/8/8", "fd00::/129", "10/8", "x"])
    func ranges(text: String) {
        #expect(AddressRange(text) == nil)
    }
}
