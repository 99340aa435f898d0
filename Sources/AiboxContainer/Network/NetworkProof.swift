import AiboxAudit
import AiboxConfig
public import AiboxState
public import AiboxSystem
import AiboxWire

/// Tries from inside of a running sandbox to get out, layer by layer, with one probe a layer that has to work: without it
/// silence would prove nothing.
public struct NetworkProof {
    public struct Finding: Sendable, Equatable {
        public var layer: String
        public var probe: String
        public var promised: String
        public var found: String
        public var holds: Bool
    }

    let context: SandboxContext
    let record: SandboxRecord

    public init(context: SandboxContext, record: SandboxRecord) {
        self.context = context
        self.record = record
    }

    /// - Throws: only if the probes could not be made; a probe that gets through is a finding.
    public func findings() throws(AiboxError) -> [Finding] {
        let network = try GatewayClient(runFolder: record.runFolder).network()
        guard network["enabled"]?.truth == true else {
            throw AiboxError(
                .failed, "there is no way out to test", why: "network.enabled is false", remedy: nil)
        }
        let listed = (network["rules"]?.elements ?? []).flatMap { $0["hosts"]?.elements ?? [] }
            .compactMap(\.stringValue).first { !$0.hasPrefix("*") }
        let session = SandboxSession(paths: context.paths, record: record)
        let result = try context.runner.run(
            try session.command(
                ["/bin/bash", "-c", Self.script, "probe", SandboxSpec.gatewayAddress, listed ?? ""], terminal: false),
            timeout: .seconds(120))
        guard result.succeeded else {
            throw AiboxError(.failed, "cannot test from inside of the sandbox", why: SafeText.escaped(result.errorText))
        }
        var found: [String: String] = [:]
        for line in result.text.split(separator: "\n") {
            let parts = line.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            if parts.count == 2 { found[String(parts[0])] = String(parts[1].prefix(200)) }
        }
        let findings = Self.expectations.filter { listed != nil || !$0.needsHost }.map { expectation in
            let answer = found[expectation.key] ?? "no answer"
            return Finding(
                layer: expectation.layer, probe: expectation.probe, promised: expectation.promised,
                found: SafeText.escaped(answer), holds: expectation.promised.split(separator: "|").contains(answer[...])
            )
        }
        try writeDown(findings)
        return findings
    }

    private func writeDown(_ findings: [Finding]) throws(AiboxError) {
        let audit = try SandboxAudit(context, sandbox: record.name, session: record.session)
        try audit.verified(findings.count, failed: findings.filter { !$0.holds }.map(\.probe))
        try audit.close()
    }

    /// Text of ours; the two words that it gets are never parsed. One line a question.
    private static let script = """
        gateway=$1; listed=$2
        tcp() { if timeout 3 bash -c 'exec 3<>"/dev/tcp/$0/$1"' "$1" "$2" 2>/dev/null; then echo open; else echo closed; fi; }
        udp() { timeout 3 bash -c 'exec 3<>"/dev/udp/$0/$1"; printf "\\\\0\\\\0" >&3; head -c 1 <&3 | wc -c' "$1" "$2" 2>/dev/null | grep -q 1 && echo open || echo silent; }
        name() { getent ahostsv4 "$1" 2>/dev/null | awk 'NR==1 {print $1}' | grep . || echo unknown; }
        ask() { timeout 10 bash -c 'exec 3<>"/dev/tcp/$0/3128"; printf "%s\\\\r\\\\nHost: %s\\\\r\\\\n\\\\r\\\\n" "$1" "$2" >&3; head -n 1 <&3' "$gateway" "$1" "$2" 2>/dev/null | tr -d '\\r' | awk '{print $2; exit}' | grep . || echo closed; }
        echo "door=$(tcp "$gateway" 3128)"
        echo "otherport=$(tcp "$gateway" 22)"
        echo "direct=$(tcp 192.0.2.1 443)"
        echo "metadata=$(tcp 169.254.169.254 80)"
        echo "hostloop=$(tcp 10.0.2.2 22)"
        echo "ipv6=$(tcp 2001:db8::1 443)"
        echo "quic=$(udp 192.0.2.1 443)"
        echo "rogue=$(udp 192.0.2.53 53)"
        echo "ownname=$(name gateway.aibox.internal)"
        echo "othername=$(name c2VjcmV0.unlisted.example)"
        echo "unlisted=$(ask 'CONNECT unlisted.example:443 HTTP/1.1' unlisted.example:443)"
        echo "address=$(ask 'CONNECT 192.0.2.1:443 HTTP/1.1' 192.0.2.1:443)"
        echo "clear=$(ask 'GET http://unlisted.example/ HTTP/1.1' unlisted.example)"
        if [ -n "$listed" ]; then
          echo "mismatch=$(ask "GET http://$listed/ HTTP/1.1" unlisted.example)"
          echo "ssh=$(ask "CONNECT $listed:22 HTTP/1.1" "$listed:22")"
          echo "listed=$(name "$listed")"
        fi
        exit 0
        """

    private struct Expectation {
        var layer: String
        var probe: String
        var key: String
        /// Answers that are right, separated by a bar.
        var promised: String
        var needsHost = false

        init(_ layer: String, _ probe: String, _ key: String, _ promised: String, needsHost: Bool = false) {
            self.layer = layer
            self.probe = probe
            self.key = key
            self.promised = promised
            self.needsHost = needsHost
        }
    }

    private static let expectations: [Expectation] = [
        Expectation("packet filter", "the gateway's own door opens", "door", "open"),
        Expectation("packet filter", "another port of the gateway", "otherport", "closed"),
        Expectation("packet filter", "an address beyond the gateway", "direct", "closed"),
        Expectation("packet filter", "the cloud's metadata service", "metadata", "closed"),
        Expectation("packet filter", "an address of the host", "hostloop", "closed"),
        Expectation("packet filter", "IPv6", "ipv6", "closed"),
        Expectation("packet filter", "UDP beyond the gateway (QUIC)", "quic", "silent"),
        Expectation("packet filter", "another name server", "rogue", "silent"),
        Expectation("names", "a name of the gateway's leads to it", "ownname", SandboxSpec.gatewayAddress),
        Expectation("names", "an unlisted name, as used to carry data out", "othername", "unknown"),
        Expectation(
            "names", "a listed name leads to the gateway", "listed", SandboxSpec.gatewayAddress, needsHost: true),
        Expectation("gateway", "a tunnel to an unlisted host", "unlisted", "403"),
        Expectation("gateway", "a tunnel to an address", "address", "403"),
        Expectation("gateway", "a request to an unlisted host in the clear", "clear", "403"),
        Expectation("gateway", "a listed host with another Host field", "mismatch", "403", needsHost: true),
        Expectation("gateway", "a listed host on port 22", "ssh", "403", needsHost: true),
    ]
}
