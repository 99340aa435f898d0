/// One thing wrong with an allow-list.
public struct AllowListProblem: Sendable, Equatable, CustomStringConvertible {
    /// `network.allow[2].hosts[0]`
    public let field: String
    public let message: String

    public var description: String { field + ": " + message }
}

extension AllowRule {
    /// Checks an entry; everything wrong with it is added to `problems`.
    ///
    /// - Returns: nil exactly if something was added.
    static func checked(
        _ source: AllowRuleSource, field: String, suffixes: PublicSuffixList, problems: inout [AllowListProblem]
    ) -> AllowRule? {
        var check = AllowRuleCheck(field: field)
        check.identity(source.id)
        let hosts = check.hosts(source.hosts, suffixes)
        let ports = check.ports(source.ports)
        let schemes = check.schemes(source.schemes, ports)
        let methods = check.methods(source.methods)
        let paths = check.paths(source.paths)
        check.limit(source.requestsPerMinute, "rate_limit.requests_per_min")
        check.limit(source.connections, "rate_limit.connections")
        if let limit = source.maxUpload, limit < 0 { check.add(".max_upload", "it is negative") }
        var rateLimit: RateLimit?
        if source.requestsPerMinute != nil || source.connections != nil {
            rateLimit = RateLimit(requestsPerMinute: source.requestsPerMinute, connections: source.connections)
        }
        let rule = AllowRule(
            id: source.id, hosts: hosts, ports: ports, schemes: schemes, methods: methods, paths: paths,
            inspect: source.inspect ?? false, rateLimit: rateLimit, maxUpload: source.maxUpload, layer: source.layer)
        if source.inspect == false, methods != nil || paths != nil {
            check.add(".inspect", "methods and paths can only be checked with TLS opened; remove inspect: false")
        }
        if rule.needsInspection, rule.schemes.contains(.https) {
            for (index, host) in hosts.enumerated() where !host.isExact {
                // With a wildcard, the host of the tunnel and the host asked for inside could differ (P3).
                check.add(".hosts[\(index)]", "an inspected entry names its hosts exactly, not \(host)")
            }
        }
        problems += check.problems
        return check.problems.isEmpty ? rule : nil
    }
}

private struct AllowRuleCheck {
    let field: String
    var problems: [AllowListProblem] = []

    init(field: String) { self.field = field }

    mutating func add(_ part: String, _ message: String) {
        problems.append(AllowListProblem(field: field + part, message: message))
    }

    mutating func identity(_ id: String) {
        let plain = id.utf8.allSatisfy { $0.isASCIILetter || $0.isASCIIDigit || "-_.".utf8.contains($0) }
        if id.isEmpty {
            add(".id", "it is missing")
        } else if !plain || id.utf8.count > 64 {
            add(".id", "an id has letters, digits, - _ and . only, 64 at most")
        }
    }

    mutating func hosts(_ texts: [String], _ suffixes: PublicSuffixList) -> [HostPattern] {
        if texts.isEmpty { add(".hosts", "it is empty") }
        var hosts: [HostPattern] = []
        for (index, text) in texts.enumerated() {
            do throws(HostPatternFailure) {
                let host = try HostPattern(text, suffixes: suffixes)
                if !hosts.contains(host) { hosts.append(host) }
            } catch {
                add(".hosts[\(index)]", "\(quoted(text)) is not accepted: \(error.reason)")
            }
        }
        return hosts
    }

    mutating func ports(_ numbers: [Int]) -> [UInt16] {
        if numbers.isEmpty { add(".ports", "it is empty") }
        var ports: Set<UInt16> = []
        for (index, number) in numbers.enumerated() {
            if let port = UInt16(exactly: number), port > 0 {
                ports.insert(port)
            } else {
                add(".ports[\(index)]", "\(number) is no port; ports are 1 to 65535")
            }
        }
        return ports.sorted()
    }

    mutating func schemes(_ names: [String]?, _ ports: [UInt16]) -> Set<AllowRule.Scheme> {
        guard let names else { return ports.contains(80) ? [.https, .http] : [.https] }
        if names.isEmpty { add(".schemes", "it is empty") }
        var schemes: Set<AllowRule.Scheme> = []
        for (index, name) in names.enumerated() {
            if let scheme = AllowRule.Scheme(rawValue: name) {
                schemes.insert(scheme)
            } else {
                add(".schemes[\(index)]", "\(quoted(name)) is neither https nor http")
            }
        }
        return schemes
    }

    mutating func methods(_ names: [String]?) -> [String]? {
        guard let names else { return nil }
        if names.isEmpty { add(".methods", "it is empty; leave it out to allow every method") }
        for (index, name) in names.enumerated() {
            let valid = !name.isEmpty && name.utf8.allSatisfy { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) }
            if !valid || name == "CONNECT" {
                add(".methods[\(index)]", "\(quoted(name)) is no request method in capital letters")
            }
        }
        return names
    }

    mutating func paths(_ texts: [String]?) -> [PathPattern]? {
        guard let texts else { return nil }
        if texts.isEmpty { add(".paths", "it is empty; leave it out to allow every path") }
        var paths: [PathPattern] = []
        for (index, text) in texts.enumerated() {
            do throws(PathPatternFailure) {
                paths.append(try PathPattern(text))
            } catch {
                add(".paths[\(index)]", "\(quoted(text)) is not accepted: \(error.reason)")
            }
        }
        return paths
    }

    mutating func limit(_ value: Int?, _ part: String) {
        if let value, value < 1 { add("." + part, "\(value) allows nothing; it is at least 1") }
    }

    /// A foreign text in a message: no control character reaches a terminal.
    private func quoted(_ text: String) -> String {
        "\"" + text.unicodeScalars.prefix(300).map { $0.value < 0x20 || $0.value == 0x7F ? "?" : String($0) }.joined()
            + "\""
    }
}
