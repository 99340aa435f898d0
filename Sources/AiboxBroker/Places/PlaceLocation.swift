import AiboxNetwork
import AiboxWire

/// Where a redirect leads (RFC 9110 section 10.2.2).
enum PlaceLocation {
    /// On a server that is known, as a path in its normal form.
    struct Target: Equatable {
        var host: HostName
        var port: UInt16
        var path: RequestPath
    }

    /// nil for what is no https URL of a host by its name, however it is written.
    ///
    /// - Parameter base: where the redirect came from; its path in its normal form.
    static func target(_ location: String, base: (host: HostName, port: UInt16, path: String)) -> Target? {
        // What stands behind it is the client's own, and never sent.
        var rest = Substring(location.prefix { $0 != "#" })
        var (host, port) = (base.host, base.port)
        if rest.hasPrefix("//") { rest = "https:" + rest }
        if rest.prefix(8).lowercased() == "https://" {
            rest = rest.dropFirst(8)
            let authority = rest.prefix { $0 != "/" && $0 != "?" }
            guard let place = HTTPAuthority(authority), let name = try? HostName(place.host) else { return nil }
            (host, port) = (name, place.port ?? 443)
            rest = rest.dropFirst(authority.count)
            if !rest.hasPrefix("/") { rest = "/" + rest }
        } else if rest.hasPrefix("?") {
            rest = base.path + rest
        } else if !rest.hasPrefix("/") {
            // Another scheme.
            guard !rest.isEmpty, !rest.prefix(while: { $0 != "/" && $0 != "?" }).contains(":") else { return nil }
            rest = base.path[...(base.path.lastIndex(of: "/") ?? base.path.startIndex)] + rest
        }
        guard let path = try? RequestPath(String(rest)) else { return nil }
        return Target(host: host, port: port, path: path)
    }

    /// As a client of the broker is told: a path of the broker's where a credential opens the place, and the URL itself
    /// where none does: there the client goes by itself, as far as the allow-list lets it, and with no credential.
    static func shown(_ location: String, from route: some PlaceRoute, among places: [PlaceAccess]) -> String? {
        guard let target = target(location, base: (route.host, route.port, route.path)) else { return nil }
        let isSameServer = target.host == route.host && target.port == route.port
        if let access = places.first(where: {
            (isSameServer ? route.isFor($0.grant) : route.kind == .mirror && $0.grant.kind == .mirror)
                && $0.covers(target.host, target.port, target.path.path)
        }) {
            return access.grant.brokerPath.dropLast(access.grant.path == "/" ? 0 : access.grant.path.utf8.count)
                + target.path.description
        }
        // As it was written: a signature may cover every character.
        if location.prefix(8).lowercased() == "https://" { return "https://" + location.dropFirst(8) }
        if location.hasPrefix("//") { return "https:" + location }
        return "https://\(target.host.text)\(target.port == 443 ? "" : ":\(target.port)")\(target.path)"
    }
}
