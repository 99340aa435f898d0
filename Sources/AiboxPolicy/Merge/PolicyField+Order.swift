import AiboxConfig
import AiboxNetwork
import AiboxWire

extension PolicyField {
    /// Where `later` would permit what `earlier` does not.
    func loosening(of earlier: PolicyItem, by later: PolicyItem) -> [PolicyViolation] {
        func refuse(_ words: String) -> [PolicyViolation] {
            [PolicyViolation(name, words, later.origin, earlier.origin)]
        }
        func elements(_ isWithin: (PolicyItem) -> Bool) -> [PolicyViolation] {
            later.elements.filter { !isWithin($0) }.map {
                PolicyViolation(name, "has \(words(of: $0)), which is not permitted", $0.origin, earlier.origin)
            }
        }
        let bothWays = "is \(words(of: later)), which is looser than \(words(of: earlier))"
        switch order {
        case .same: return refuse("is \(words(of: later)), and \(words(of: earlier)) stands")
        case .organisation, .union: return []
        case .on: return later.boolean == true || earlier.boolean == false ? [] : refuse(bothWays)
        case .less: return isOrdered(later.integer, earlier.integer) ? [] : refuse(bothWays)
        case .more: return isOrdered(earlier.integer, later.integer) ? [] : refuse(bothWays)
        case .later:
            guard case .choice(let names) = kind, let rank = names.firstIndex(of: later.text ?? ""),
                let least = names.firstIndex(of: earlier.text ?? "")
            else { return refuse(bothWays) }
            return rank >= least ? [] : refuse(bothWays)
        case .tighter(let table):
            let tighter = table[earlier.text ?? ""] ?? []
            return later == earlier || tighter.contains(later.text ?? "") ? [] : refuse(bothWays)
        case .part: return elements { earlier.elements.contains($0) }
        case .covered(let paths):
            let patterns = earlier.texts.map { PolicyPattern($0, paths: paths) }
            return elements { item in
                patterns.contains { $0.covers(PolicyPattern(item.text ?? "", paths: paths)) }
            }
        case .models:
            let patterns = earlier.texts.map { ModelPattern($0) }
            return elements { item in
                let pattern = ModelPattern(item.text ?? "")
                return patterns.contains { $0.covers(pattern) }
            }
        case .ranges:
            let ranges = earlier.texts.compactMap { AddressRange($0) }
            return elements { item in
                guard let range = AddressRange(item.text ?? "") else { return false }
                return ranges.contains { $0.contains(range) }
            }
        case .below:
            guard let root = earlier.text, let path = later.text else { return refuse(bothWays) }
            return path == root || path.hasPrefix(root == "/" ? "/" : root + "/") ? [] : refuse(bothWays)
        case .allowList: return AllowListOrder(earlier: earlier, later: later).violations
        case .tools: return ToolRule.loosening(name, of: ToolRule.tools(earlier), by: ToolRule.tools(later))
        case .servers: return ToolRule.loosening(name, of: ToolRule.servers(earlier), by: ToolRule.servers(later))
        case .pins:
            return later.members.sorted { $0.key < $1.key }.compactMap { key, item in
                guard let bound = earlier[key] else { return nil }
                let pin = ConfigurationPin(key, item.text ?? "", source: "")
                if pin.isAsTight(as: ConfigurationPin(key, bound.text ?? "", source: "")) { return nil }
                return PolicyViolation(
                    "pins.\(key)", "is \(item.text ?? ""), which is looser than \(bound.text ?? "")", item.origin,
                    bound.origin)
            }
        }
    }

    private func isOrdered(_ less: Int?, _ more: Int?) -> Bool {
        guard let less, let more else { return false }
        return less <= more
    }

    /// A value as its author would write it.
    public func words(of item: PolicyItem) -> String { Self.words(item, kind) }

    /// An element of a list, as its author would write it.
    public func entryWords(_ item: PolicyItem) -> String {
        if case .list(let kind, _) = kind { return Self.words(item, kind) }
        return words(of: item)
    }

    static func words(_ item: PolicyItem, _ kind: PolicyKind) -> String {
        switch (item.content, kind) {
        case (.boolean(let value), _): return value ? "true" : "false"
        case (.integer(let value), .size): return ByteSize(bytes: Int64(value)).description
        case (.integer(let value), .amount): return LLMAmount.text(micros: value)
        case (.integer(let value), .duration): return PolicyDuration(seconds: value).description
        case (.integer(let value), _): return String(value)
        case (.text(let value), _): return value
        case (.list(let elements), .list(let kind, _)):
            return "[" + elements.map { words($0, kind) }.joined(separator: ", ") + "]"
        case (.list(let elements), _): return "[" + elements.compactMap(\.text).joined(separator: ", ") + "]"
        case (.group(let values), .group(let members)):
            let shown = members.compactMap { member in
                values[member.name].map { "\(member.name): \(words($0, member.kind))" }
            }
            return "{" + shown.joined(separator: ", ") + "}"
        case (.group(let values), .table(_, let kind)):
            return "{"
                + values.keys.sorted().map { key in "\(key): \(values[key].map { words($0, kind) } ?? "")" }
                .joined(separator: ", ") + "}"
        case (.group(let values), _): return "{" + values.keys.sorted().joined(separator: ", ") + "}"
        }
    }
}
