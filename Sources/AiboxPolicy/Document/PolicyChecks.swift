import AiboxConfig
import AiboxNetwork
import AiboxWire

/// What a document must hold beyond the form of its values.
struct PolicyChecks {
    let problems: ProblemCollector
    let file: String

    func check(_ fields: [String: PolicyItem]) {
        for (field, id) in [
            ("network.allow", "id"), ("mcp.servers", "id"), ("exceptions", "id"), ("tools.rules", "id"),
            ("llm.dlp", "id"),
        ] {
            distinct(field, id, fields[field])
        }
        let taken = Set((fields["network.allow"]?.elements ?? []).compactMap { $0["id"]?.text })
        for exception in fields["exceptions"]?.elements ?? [] {
            guard let id = exception["id"], taken.contains(id.text ?? "") else { continue }
            complain(id.origin, "exceptions: the id \(id.text ?? "") is already taken in network.allow")
        }
        for (name, field) in [("network.allow", fields["network.allow"]), ("exceptions", fields["exceptions"])] {
            for (index, entry) in (field?.elements ?? []).enumerated() { allowEntry(entry, "\(name)[\(index)]") }
        }
        for (index, rule) in (fields["tools.rules"]?.elements ?? []).enumerated() {
            toolRule(rule, "tools.rules[\(index)]")
        }
        leakRules(fields["llm.dlp"])
        if let item = fields["tools.review_timeout"], let seconds = item.integer,
            !ToolCoverage.reviewSeconds.contains(seconds)
        {
            complain(item.origin, "tools.review_timeout is at least 1s and at most 1d")
        }
        for (key, item) in fields["pins"]?.members.sorted(by: { $0.key < $1.key }) ?? [] { pin(key, item) }
    }

    private func complain(_ origin: PolicyOrigin, _ message: String) {
        problems.add(Problem(file, TextPosition(line: origin.line ?? 1, column: origin.column), message))
    }

    private func distinct(_ field: String, _ key: String, _ list: PolicyItem?) {
        var seen: [String: PolicyOrigin] = [:]
        for entry in list?.elements ?? [] {
            guard let id = entry[key] else { continue }
            if let first = seen.updateValue(id.origin, forKey: id.text ?? "") {
                complain(id.origin, "\(field): the id \(id.text ?? "") is already taken in line \(first.line ?? 0)")
            }
        }
    }

    /// The rules of an entry of the allow-list, in the words of the one who enforces it.
    private func allowEntry(_ entry: PolicyItem, _ path: String) {
        do throws(AllowListProblems) {
            _ = try AllowList([AllowRuleSource(entry)], field: "")
        } catch {
            for problem in error.problems {
                // `[0].hosts[1]`: the member and the element that it is about.
                let parts = problem.field.split(separator: ".").dropFirst().map(String.init)
                let names = parts.map { String($0.prefix { $0 != "[" }) }
                var item = entry
                for (name, part) in zip(names, parts) {
                    item = item[name] ?? item
                    if let index = Int(part.drop { $0 != "[" }.dropFirst().prefix { $0 != "]" }),
                        item.elements.indices.contains(index)
                    {
                        item = item.elements[index]
                    }
                }
                complain(item.origin, "\(path).\(parts.joined(separator: ".")): \(problem.message)")
            }
        }
    }

    private func toolRule(_ rule: PolicyItem, _ path: String) {
        let risk = rule["risk"]?.text
        if rule["allow"]?.boolean == true {
            if risk == nil { complain(rule.origin, "\(path).risk is missing; a rule that allows says how risky it is") }
            if risk == "blocked-by-default" {
                complain(rule["risk"]?.origin ?? rule.origin, "\(path).risk contradicts allow: true")
            }
        } else if let risk, risk != "blocked-by-default" {
            complain(rule["risk"]?.origin ?? rule.origin, "\(path).risk contradicts allow: false")
        }
        if let async = rule["async"], async.boolean == true, risk != "review-required" {
            complain(async.origin, "\(path).async goes with risk: review-required")
        }
    }

    private func leakRules(_ list: PolicyItem?) {
        guard let list else { return }
        if list.elements.count > LeakRule.documentLimit {
            complain(list.origin, "llm.dlp has more than \(LeakRule.documentLimit) entries")
        }
        for (index, rule) in list.elements.enumerated()
        where ["canary", "pattern", "known"].count(where: { rule[$0] != nil }) != 1 {
            complain(rule.origin, "llm.dlp[\(index)] needs one of canary, pattern and known")
        }
    }

    private func pin(_ key: String, _ item: PolicyItem) {
        if let message = ConfigurationPin(key, item.text ?? "", source: item.origin.description).complaint {
            complain(item.origin, "pins.\(key) \(message)")
        }
    }
}

extension AllowRuleSource {
    /// An entry of `network.allow` or of `exceptions`.
    init(_ entry: PolicyItem) {
        let limit = entry["rate_limit"]
        self.init(
            id: entry["id"]?.text ?? "", hosts: entry["hosts"]?.texts ?? [],
            ports: entry["ports"].map { $0.elements.compactMap(\.integer) } ?? [443],
            schemes: entry["schemes"]?.texts, methods: entry["methods"]?.texts, paths: entry["paths"]?.texts,
            inspect: entry["inspect"]?.boolean, requestsPerMinute: limit?["requests_per_min"]?.integer,
            connections: limit?["connections"]?.integer, maxUpload: entry["max_upload"]?.integer.map { Int64($0) },
            layer: entry.origin.layer.rawValue)
    }
}
