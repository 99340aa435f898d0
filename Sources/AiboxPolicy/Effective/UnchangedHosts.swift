import AiboxNetwork

/// Hosts for which an allow-list says what another one says: named exactly, by one entry each that is the same but for its
/// hosts. They need no comparison, request by request.
struct UnchangedHosts {
    /// The entry that alone speaks of a host, by its place; none for a host of several.
    private var places: [HostPattern: Int?] = [:]
    private var wildcards: [HostPattern] = []
    private let entries: [[String: PolicyItem]]

    /// - Parameter list: the other one.
    init(_ list: PolicyItem) {
        entries = list.elements.map(Self.rest)
        for (place, entry) in list.elements.enumerated() {
            for host in Self.hosts(entry).compactMap(\.pattern) {
                if !host.isExact { wildcards.append(host) }
                places[host] = places[host] == nil ? place : .some(nil)
            }
        }
    }

    /// The entry with the hosts that have to be compared; nil if there is none.
    func others(_ entry: PolicyItem) -> PolicyItem? {
        let rest = Self.rest(entry)
        let left = Self.hosts(entry).filter { _, pattern in
            guard let pattern, pattern.isExact, case .some(.some(let place)) = places[pattern] else { return true }
            return entries[place] != rest || wildcards.contains { $0.covers(pattern) }
        }
        if left.isEmpty { return nil }
        var members = entry.members
        members["hosts"] = PolicyItem(.list(left.map(\.item)), entry["hosts"]?.origin ?? entry.origin)
        return PolicyItem(.group(members), entry.origin)
    }

    private static func rest(_ entry: PolicyItem) -> [String: PolicyItem] {
        entry.members.filter { $0.key != "hosts" && $0.key != "id" }
    }

    private static func hosts(_ entry: PolicyItem) -> [(item: PolicyItem, pattern: HostPattern?)] {
        (entry["hosts"]?.elements ?? []).map { ($0, $0.text.flatMap { try? HostPattern($0) }) }
    }
}
