public import AiboxNetwork

/// An entry of the allow-list that was learned.
public struct LearnedEntry: Sendable, Equatable {
    public var source: AllowRuleSource
    /// How often what it lets through was asked for; 0: it keeps what a wildcard of the document gave to a host that the
    /// document names from now on.
    public var seen: Int

    /// A request, how often it came, and the organisation's entry that permits it.
    typealias Want = (request: EgressRequest, seen: Int, rule: AllowRule)

    /// What has to be added to a list, sorted by host.
    static func entries(_ wants: [Want], besides list: AllowList) -> [LearnedEntry] {
        var ids = Set(list.rules.map(\.id))
        var shapes: [(rule: AllowRule, shape: Shape, seen: Int, hosts: Set<String>)] = []
        for (host, asked) in Dictionary(grouping: wants, by: \.request.host.text).sorted(by: { $0.key < $1.key }) {
            for (_, asked) in Dictionary(grouping: asked, by: \.rule.id).sorted(by: { $0.key < $1.key }) {
                guard let rule = asked.first?.rule else { continue }
                let shape = Shape(asked.map(\.request), rule)
                let seen = asked.reduce(0) { $0 + $1.seen }
                // Limits count for each entry: what one of the organisation's entries limits stays one entry.
                let isShared = rule.rateLimit != nil
                if let place = shapes.firstIndex(where: {
                    $0.rule.id == rule.id && (isShared || $0.shape == shape)
                }) {
                    shapes[place].shape.add(shape)
                    shapes[place].seen += seen
                    shapes[place].hosts.insert(host)
                } else {
                    shapes.append((rule, shape, seen, [host]))
                }
            }
        }
        let learned = shapes.map { entry in
            let hosts = entry.hosts.sorted()
            let id = LearnedName.free("learned-" + (hosts.first ?? ""), besides: &ids)
            return LearnedEntry(source: entry.shape.source(id, hosts, entry.rule), seen: entry.seen)
        }
        return learned + kept(Set(wants.map(\.request.host)), list, &ids)
    }

    /// A name that the list has only by a wildcard would lose, by an entry of its own, what the wildcard gives it.
    private static func kept(_ hosts: Set<HostName>, _ list: AllowList, _ ids: inout Set<String>) -> [LearnedEntry] {
        hosts.sorted { $0.text < $1.text }.flatMap { host in
            let speaking = list.rules(for: host)
            if speaking.contains(where: { $0.hosts.contains(.exact(host)) }) { return [LearnedEntry]() }
            return speaking.map { rule in
                let id = LearnedName.free("\(rule.id)-\(host.text)", besides: &ids)
                return LearnedEntry(source: AllowRuleSource(rule, id: id, hosts: [host.text]), seen: 0)
            }
        }
    }

    /// What was used of an entry of the organisation's.
    private struct Shape: Equatable {
        var ports: Set<UInt16> = []
        var schemes: Set<AllowRule.Scheme> = []
        /// Nil where the organisation's entry does not limit them.
        var methods: Set<String>?
        var paths: Set<String>?

        init(_ requests: [EgressRequest], _ rule: AllowRule) {
            ports = Set(requests.map(\.port))
            schemes = Set(requests.map(\.scheme))
            if rule.methods != nil { methods = [] }
            if rule.paths != nil { paths = [] }
            for request in requests {
                guard case .http(_, let method, let path) = request.content else { continue }
                methods?.insert(method)
                // The organisation's own pattern: a path that was seen once is seldom all that is meant.
                if let pattern = rule.paths?.first(where: { $0.matches(path) }) { paths?.insert(pattern.text) }
            }
            // A tunnel was seen, and nothing in it yet: all that the entry permits.
            if methods?.isEmpty == true { methods = Set(rule.methods ?? []) }
            if paths?.isEmpty == true { paths = Set(rule.paths?.map(\.text) ?? []) }
        }

        mutating func add(_ other: Shape) {
            ports.formUnion(other.ports)
            schemes.formUnion(other.schemes)
            methods = methods.map { $0.union(other.methods ?? []) }
            paths = paths.map { $0.union(other.paths ?? []) }
        }

        func source(_ id: String, _ hosts: [String], _ rule: AllowRule) -> AllowRuleSource {
            let usual: Set<AllowRule.Scheme> = ports.contains(80) ? [.http, .https] : [.https]
            return AllowRuleSource(
                id: id, hosts: hosts, ports: ports.sorted().map(Int.init),
                schemes: schemes == usual ? nil : schemes.map(\.rawValue).sorted(), methods: methods?.sorted(),
                paths: paths?.sorted(), inspect: rule.inspect && methods == nil && paths == nil ? true : nil,
                requestsPerMinute: rule.rateLimit?.requestsPerMinute, connections: rule.rateLimit?.connections,
                maxUpload: rule.maxUpload)
        }
    }
}

extension AllowRuleSource {
    /// A checked entry as a document has it, for other hosts.
    fileprivate init(_ rule: AllowRule, id: String, hosts: [String]) {
        self.init(
            id: id, hosts: hosts, ports: rule.ports.map(Int.init), schemes: rule.schemes.map(\.rawValue).sorted(),
            methods: rule.methods, paths: rule.paths?.map(\.text), inspect: rule.inspect ? true : nil,
            requestsPerMinute: rule.rateLimit?.requestsPerMinute, connections: rule.rateLimit?.connections,
            maxUpload: rule.maxUpload)
    }
}

extension LearnedPolicy.Addition {
    /// A document with nothing but what is added, as the lists of the file take it.
    public var text: String {
        var text = "version: 1\n"
        if !entries.isEmpty { text += "network:\n  allow:\n" + entries.map(\.lines).joined() }
        if !models.isEmpty {
            text += "llm:\n  models:\n"
            for (name, seen) in models {
                text += "    # seen \(seen == 1 ? "once" : "\(seen) times")\n    - \(LearnedEntry.quoted(name))\n"
            }
        }
        return text
    }
}

extension LearnedEntry {
    fileprivate var lines: String {
        func list(_ texts: [String]) -> String { "[" + texts.map(Self.quoted).joined(separator: ", ") + "]" }
        let why =
            seen == 0 ? "keeps what a wildcard of this list gives" : seen == 1 ? "seen once" : "seen \(seen) times"
        var lines = ["    # \(why)", "    - id: \(source.id)", "      hosts: \(list(source.hosts))"]
        if source.ports != [443] {
            lines.append("      ports: [" + source.ports.map(String.init).joined(separator: ", ") + "]")
        }
        if let schemes = source.schemes { lines.append("      schemes: \(list(schemes))") }
        if let methods = source.methods { lines.append("      methods: \(list(methods))") }
        if let paths = source.paths { lines.append("      paths: \(list(paths))") }
        if source.inspect == true { lines.append("      inspect: true") }
        let limits = [
            source.requestsPerMinute.map { "requests_per_min: \($0)" }, source.connections.map { "connections: \($0)" },
        ].compactMap(\.self)
        if !limits.isEmpty { lines.append("      rate_limit: {\(limits.joined(separator: ", "))}") }
        if let bytes = source.maxUpload { lines.append("      max_upload: \(bytes)") }
        return lines.map { $0 + "\n" }.joined()
    }

    /// In double quotes, in which YAML takes every printable character but these two as it stands.
    fileprivate static func quoted(_ text: String) -> String {
        "\"" + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
    }
}
