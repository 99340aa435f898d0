extension AllowList {
    /// The verdict on one request. Pure: the same list and request give the same verdict.
    ///
    /// An entry that names the host exactly speaks for it alone; wildcards count only where there is none.
    /// Of several entries for the host and port, a request needs one that permits it in full. A tunnel is
    /// opened for inspection as soon as one entry for the host asks for it.
    public func decide(_ request: EgressRequest) -> EgressDecision {
        if let denial = denials.first(where: { $0.host.matches(request.host) }) {
            return .deny(
                EgressDenial(
                    .hostDenied, rule: denial.id, layer: denial.layer,
                    reason: "\(request.host) was taken off the allow-list",
                    nextSteps: ["Do without this host, or ask the person who runs this sandbox."]))
        }
        let forHost = rules(for: request.host)
        if forHost.isEmpty {
            return .deny(
                EgressDenial(
                    .hostNotAllowed, reason: "\(request.host) is not on the allow-list of this sandbox",
                    nextSteps: [
                        "Use a host that is on the list.",
                        "Ask the person who runs this sandbox to run: aibox network allow \(request.host)",
                    ]))
        }
        let forPort = forHost.filter { $0.ports.contains(request.port) }
        guard let first = forPort.first else {
            let ports = Set(forHost.flatMap(\.ports)).sorted().map(String.init).joined(separator: ", ")
            return .deny(
                refusal(
                    .portNotAllowed, forHost, "\(request.host) is allowed on port \(ports), not \(request.port)",
                    "Use port \(ports)."))
        }
        let forScheme = forPort.filter { $0.schemes.contains(request.scheme) }
        guard let chosen = forScheme.first else {
            let schemes = first.schemes.map(\.rawValue).sorted().joined(separator: " and ")
            return .deny(
                refusal(
                    .schemeNotAllowed, forPort,
                    "\(request.host):\(request.port) is allowed with \(schemes), not \(request.scheme.rawValue)",
                    "Use \(schemes)."))
        }
        guard case .http(_, let method, let path) = request.content else {
            return .allow(
                grant(chosen, inspecting: forHost.contains { $0.needsInspection && $0.schemes.contains(.https) }))
        }
        let forMethod = forScheme.filter { $0.methods?.contains(method) ?? true }
        if forMethod.isEmpty {
            let methods = Set(forScheme.flatMap { $0.methods ?? [] }).sorted().joined(separator: ", ")
            return .deny(
                refusal(
                    .methodNotAllowed, forScheme, "\(request.host) is allowed with \(methods), not \(method)",
                    "Use \(methods)."))
        }
        guard let matching = forMethod.first(where: { $0.paths?.contains { $0.matches(path) } ?? true }) else {
            return .deny(
                refusal(
                    .pathNotAllowed, forMethod, "\(path.path) on \(request.host) is not on the allow-list",
                    "Use an allowed path: "
                        + forMethod.flatMap { $0.paths ?? [] }.prefix(8).map(\.text).joined(separator: ", ")))
        }
        return .allow(grant(matching, inspecting: request.scheme == .https))
    }

    /// True if an entry opens tunnels: the sandbox has to trust the authority that does.
    public var inspects: Bool { rules.contains(where: \.opensTLS) }

    /// True if a tunnel to there is allowed, and opened: what is asked for inside is decided request by request.
    public func opens(_ host: HostName, _ port: UInt16) -> Bool {
        guard case .allow(let grant) = decide(EgressRequest(host: host, port: port, content: .tunnel)) else {
            return false
        }
        return grant.needsInspection
    }

    /// The entries that speak for a host.
    public func rules(for host: HostName) -> [AllowRule] {
        let exact = rules.filter { $0.hosts.contains(.exact(host)) }
        if !exact.isEmpty { return exact }
        return rules.filter { rule in rule.hosts.contains { $0.matches(host) } }
    }

    private func grant(_ rule: AllowRule, inspecting: Bool) -> EgressGrant {
        EgressGrant(
            rule: rule.id, layer: rule.layer, needsInspection: inspecting, rateLimit: rule.rateLimit,
            maxUpload: rule.maxUpload)
    }

    private func refusal(_ code: EgressDenial.Code, _ rules: [AllowRule], _ reason: String, _ step: String)
        -> EgressDenial
    {
        EgressDenial(
            code, rule: rules.first?.id ?? "default-deny", layer: rules.first?.layer ?? "org", reason: reason,
            nextSteps: [step, "Or ask the person who runs this sandbox to widen the policy."])
    }
}

extension EgressDenial {
    /// The refusal of a host that is no name.
    public init(_ failure: HostNameFailure, written text: String) {
        let shown = String(
            text.unicodeScalars.prefix(260).map {
                $0.isASCII && $0.value > 0x20 && $0.value < 0x7F ? Character($0) : "?"
            })
        if case .address(let address) = failure {
            self.init(
                .addressLiteral,
                reason: "\(shown) is the IP address \(address); only names on the allow-list are reachable",
                nextSteps: ["Ask for the host by its name."])
        } else {
            self.init(
                .invalidName, reason: "\(shown) is no host name: \(failure.reason)",
                nextSteps: ["Ask for the host by its full name in ASCII."])
        }
    }

    /// The refusal of a path that can be read in more than one way.
    public init(_ failure: RequestPathFailure) {
        self.init(
            .pathAmbiguous, reason: failure.reason, nextSteps: ["Send the path in its normal form (RFC 3986)."])
    }
}
