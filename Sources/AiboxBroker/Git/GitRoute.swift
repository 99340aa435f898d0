import AiboxNetwork
import AiboxWire

/// What a request to `/git/HOST[:PORT]/REPOSITORY/...` asks for: git's smart protocol over HTTP and nothing else
/// (git-scm.com/docs/http-protocol).
struct GitRoute: PlaceRoute, Equatable {
    enum Service: String, Sendable, CaseIterable {
        case fetch = "git-upload-pack"
        case push = "git-receive-pack"

        /// For the audit log.
        var operation: String { self == .fetch ? "fetch" : "push" }
    }

    let kind = PlaceGrant.Kind.git
    var service: Service
    /// The question what there is, before the transfer.
    var isDiscovery: Bool
    var host: HostName
    var port: UInt16
    /// `/team/project.git`, in its normal form.
    var repository: String

    var path: String { repository }
    var operation: String { service.operation }

    static let prefix = PlaceGrant.Kind.git.prefix

    /// What such a request carries, and what its answer has to be: nothing else of a server, which has an interface of its
    /// own below many paths, speaks in these types.
    var requestType: String { "application/x-\(service.rawValue)-request" }
    var answerType: String { "application/x-\(service.rawValue)-\(isDiscovery ? "advertisement" : "result")" }

    /// Path and query, as the server gets them.
    var target: String {
        isDiscovery ? "\(repository)/info/refs?service=\(service.rawValue)" : "\(repository)/\(service.rawValue)"
    }

    static func decide(method: String, target: [UInt8]) throws(BrokerRefusal) -> GitRoute {
        let path: RequestPath
        do throws(RequestPathFailure) { path = try RequestPath(target) } catch { throw refused(error.reason) }
        guard path.path.hasPrefix(prefix) else { throw refused("\(path.path) is no path of a repository") }
        let rest = path.path.dropFirst(prefix.count)
        let authority = rest.prefix { $0 != "/" }
        guard let place = HTTPAuthority(authority), let host = try? HostName(place.host) else {
            throw refused("the path does not begin with the name of a git server")
        }
        let (service, isDiscovery, ending) = try service(method, String(rest.dropFirst(authority.count)), path.query)
        let repository = String(rest.dropFirst(authority.count).dropLast(ending))
        if repository.isEmpty { throw refused("the path names no repository") }
        // Delimiters that a server in front of the real one could take for what they stand for.
        for hidden in ["%2F", "%3F", "%23", "%25", "%3B", "%5C", ";"] where repository.contains(hidden) {
            throw refused("the repository's path hides a delimiter (\(hidden))")
        }
        return GitRoute(
            service: service, isDiscovery: isDiscovery, host: host, port: place.port ?? 443, repository: repository)
    }

    /// - Returns: what is asked for, and how many characters at the end of the path say so.
    private static func service(
        _ method: String, _ path: String, _ query: String?
    ) throws(BrokerRefusal) -> (Service, isDiscovery: Bool, ending: Int) {
        if path.contains("/info/lfs/") || path.hasSuffix("/info/lfs") {
            throw BrokerRefusal(
                kind: .permission, rule: "git.lfs",
                reason: "Git LFS does not go through the credential broker: its files lie on servers of their own",
                nextSteps: ["Work without the large files: git -c filter.lfs.smudge= -c filter.lfs.required=false"],
                given: 501)
        }
        let discovery = "/info/refs"
        if path.hasSuffix(discovery) {
            guard method == "GET" else { throw wrongMethod("GET") }
            guard let service = Service.allCases.first(where: { query == "service=\($0.rawValue)" }) else {
                throw refused("only git's smart protocol is spoken here, not the one that reads single files")
            }
            return (service, true, discovery.count)
        }
        guard query == nil, let service = Service.allCases.first(where: { path.hasSuffix("/" + $0.rawValue) }) else {
            throw refused("only fetch and push are passed on")
        }
        guard method == "POST" else { throw wrongMethod("POST") }
        return (service, false, service.rawValue.count + 1)
    }

    private static func refused(_ reason: String) -> BrokerRefusal {
        BrokerRefusal(kind: .permission, rule: "git.path", reason: reason)
    }

    private static func wrongMethod(_ method: String) -> BrokerRefusal {
        BrokerRefusal(kind: .permission, rule: "git.method", reason: "this is asked for with \(method)", given: 405)
    }
}
