/// The resolver's configuration for CoreDNS (coredns.io/manual, coredns.io/plugins/template).
///
/// One server block for the root zone, `.:53`, a key that CoreDNS takes for a zone. It uses `template`
/// alone: plugins run in the order that CoreDNS was built with, whatever the order in the file, so an
/// answer from `hosts` would never be reached behind a template. Within `template`, blocks are tried
/// in order; `fallthrough` leads from one whose expressions do not match to the next.
public struct Corefile: Sendable, Equatable {
    public var zone: ResolverZone
    public var port: UInt16

    public init(zone: ResolverZone, port: UInt16 = 53) {
        self.zone = zone
        self.port = port
    }

    public var text: String {
        var lines = [
            "# Written by aibox; changes are lost.",
            ".:\(port) {",
            "    bind \(zone.address)",
            "    errors",
            "    log . \"aibox1 {remote} {name} {type} {class} {rcode}\"",
        ]
        if !expressions.isEmpty {
            lines.append("    template IN A {")
            lines += expressions.map { "        match \($0)" }
            lines += [
                "        answer \"{{ .Name }} 60 IN A \(zone.address)\"",
                "        fallthrough",
                "    }",
                // The name exists, but not with another type: an empty answer, as unbound gives it.
                "    template IN ANY {",
            ]
            lines += expressions.map { "        match \($0)" }
            lines += ["        rcode NOERROR", "        fallthrough", "    }"]
        }
        lines += ["    template ANY ANY {", "        rcode NXDOMAIN", "    }", "}"]
        return lines.joined(separator: "\n") + "\n"
    }

    /// Go regular expressions over the whole name with its trailing dot.
    private var expressions: [String] {
        zone.names.map { "(?i)^\(Self.escaped($0))[.]$" } + zone.domains.map { "(?i)^(.*[.])?\(Self.escaped($0))[.]$" }
    }

    private static func escaped(_ name: HostName) -> String { name.labels.joined(separator: "[.]") }
}
