/// A program that can be the sandbox's resolver.
public enum ResolverProgram: String, Sendable, CaseIterable {
    case unbound, coredns

    /// - Parameter configuration: the file's path.
    public func arguments(configuration: String) -> [String] {
        switch self {
        case .unbound: ["-c", configuration]
        case .coredns: ["-conf", configuration]
        }
    }

    /// The configuration that answers as `zone` says.
    public func configuration(for zone: ResolverZone) -> String {
        switch self {
        case .unbound: UnboundConfiguration(zone: zone, folder: nil).text
        case .coredns: Corefile(zone: zone).text
        }
    }
}
