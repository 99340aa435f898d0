public import AiboxWire

extension AllowList {
    /// Whether the broker may lead to a place: the host is open as a whole.
    ///
    /// What an entry limits (methods, paths, rate, size) is counted on the way out and not by the broker: such an entry
    /// opens nothing here.
    public func permits(_ grant: PlaceGrant) -> Bool {
        guard let host = try? HostName(grant.host),
            case .allow(let found) = decide(EgressRequest(host: host, port: grant.port, content: .tunnel))
        else { return false }
        return !found.needsInspection && found.rateLimit == nil && found.maxUpload == nil
    }
}
