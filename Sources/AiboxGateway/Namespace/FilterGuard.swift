import AiboxNetwork
import AiboxSystem
import CLinux
import Glibc

/// Sees to it that the gateway's namespace stays as the holder made it: packet filter, interfaces, kernel settings.
///
/// The kernel tells of every change of the ruleset (nfnetlink's group for nf_tables), and everything is read back every
/// few seconds all the same: a notice can be lost, and interfaces and settings give none.
struct FilterGuard {
    /// Readable when the ruleset was changed by anybody, the holder included.
    let changes: Descriptor
    private let reader: FilterReader
    private var expected: FilterRuleset
    private var baseline: FilterSnapshot
    /// Packets by counter at the last look.
    private(set) var packets: [String: UInt64] = [:]

    /// Between two looks without a notice.
    static let interval: Duration = .seconds(3)

    /// To be made in the gateway's namespace, right after `expected` was loaded there.
    init(expecting expected: FilterRuleset) throws(AiboxError) {
        changes = Descriptor(
            try check(
                aibox_netlink_subscribe(FilterReader.netlinkProtocol, Self.notices), "cannot watch the packet filter"))
        reader = try FilterReader()
        self.expected = expected
        baseline = FilterSnapshot()
        try expect(expected)
    }

    /// NFNLGRP_NFTABLES (linux/netfilter/nfnetlink.h).
    private static let notices: UInt32 = 7

    /// Takes what was loaded just now as the measure of later looks.
    ///
    /// - Throws: the kernel does not hold what was loaded.
    mutating func expect(_ ruleset: FilterRuleset) throws(AiboxError) {
        let found = try snapshot()
        let drift = FilterDrift(expected: ruleset, actual: found)
        if !drift.isEmpty {
            throw AiboxError(.layerMissing, "the packet filter is not what was loaded", why: drift.description)
        }
        expected = ruleset
        baseline = found
        packets = found.packets
        forgetNotices()
    }

    /// What is not as it was made, one finding a line of text. Empty: all is well.
    mutating func findings() -> [String] {
        forgetNotices()
        var findings: [String] = []
        do throws(AiboxError) {
            let found = try snapshot()
            packets = found.packets
            findings = FilterDrift(expected: expected, actual: found, baseline: baseline).findings
            findings += Self.foreignInterfaces(try File.text("/proc/self/net/dev", limit: 1 << 20))
            findings += try KernelSwitches.changes()
        } catch {
            // What cannot be seen cannot be promised.
            findings.append(error.reason)
        }
        return findings
    }

    /// A ruleset that changes while it is read is read again.
    private func snapshot() throws(AiboxError) -> FilterSnapshot {
        var attempts = 3
        while true {
            do throws(AiboxError) {
                return try reader.read()
            } catch {
                attempts -= 1
                if attempts == 0 { throw error }
            }
        }
    }

    private func forgetNotices() {
        var room = [UInt8](repeating: 0, count: 16 << 10)
        while recv(changes.number, &room, room.count, 0) > 0 {}
    }

    /// Interfaces beside loopback and the cable: each would be a way past the filter.
    ///
    /// - Parameter table: /proc/net/dev: two lines of heading, then `name: numbers`.
    static func foreignInterfaces(_ table: String) -> [String] {
        table.split(separator: "\n").dropFirst(2).compactMap { line in
            let name = line.prefix { $0 != ":" }.drop { $0 == " " }
            if name == "lo" || name == SandboxLink.gatewayName { return nil }
            return "there is a foreign interface \(name)"
        }
    }
}
