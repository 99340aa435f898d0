extension AllowList {
    /// What an entry has to say to a request.
    public struct Finding: Sendable, Equatable {
        public var rule: String
        public var layer: String
        /// The first condition that the request does not meet; nil if it meets all.
        public var failure: Failure?

        public struct Failure: Sendable, Equatable {
            /// The member of the entry: `hosts`, `ports`, `schemes`, `methods`, `paths`.
            public var member: String
            /// What the entry has there.
            public var wanted: [String]
            /// What the request has.
            public var given: String
        }
    }

    /// Why `decide` says what it says: every entry, in order, with the first condition that is not met.
    public func explain(_ request: EgressRequest) -> [Finding] {
        let speaking = rules(for: request.host)
        return rules.map { rule in
            Finding(
                rule: rule.id, layer: rule.layer, failure: failure(of: rule, request, speaks: speaking.contains(rule)))
        }
    }

    private func failure(of rule: AllowRule, _ request: EgressRequest, speaks: Bool) -> Finding.Failure? {
        func failure(_ member: String, _ wanted: [String], _ given: String) -> Finding.Failure {
            Finding.Failure(member: member, wanted: wanted, given: given)
        }
        if !speaks { return failure("hosts", rule.hosts.map(\.description), request.host.text) }
        if !rule.ports.contains(request.port) {
            return failure("ports", rule.ports.map { "\($0)" }, "\(request.port)")
        }
        if !rule.schemes.contains(request.scheme) {
            return failure("schemes", rule.schemes.map(\.rawValue).sorted(), request.scheme.rawValue)
        }
        guard case .http(_, let method, let path) = request.content else { return nil }
        if let methods = rule.methods, !methods.contains(method) { return failure("methods", methods, method) }
        if let paths = rule.paths, !paths.contains(where: { $0.matches(path) }) {
            return failure("paths", paths.map(\.text), path.path)
        }
        return nil
    }
}
