import AiboxCrypto
import AiboxHTTP2
public import AiboxSystem

/// A client of the SPIFFE Workload API: who this process is, as the machine's SPIFFE agent sees it
/// (github.com/spiffe/spiffe, standards/SPIFFE_Workload_API.md and SPIFFE_Workload_Endpoint.md).
///
/// Nothing is sent that proves anything: the agent looks at who asks. What it answers is checked all the same, since it is handed on.
public struct WorkloadAPI: Sendable, Equatable {
    public let endpoint: WorkloadEndpoint
    /// For a whole answer.
    let timeout: Duration
    /// The identity that is meant; nil: the one that the agent has.
    var chosen: SpiffeID?

    public init(_ endpoint: WorkloadEndpoint, timeout: Duration = .seconds(10)) {
        self.endpoint = endpoint
        self.timeout = timeout
    }

    enum Method: String {
        case jwtSVID = "/SpiffeWorkloadAPI/FetchJWTSVID"
        case jwtBundles = "/SpiffeWorkloadAPI/FetchJWTBundles"
        case x509SVID = "/SpiffeWorkloadAPI/FetchX509SVID"
    }

    /// Without it the server must refuse: what can be made to ask for a URL only cannot set it
    /// (SPIFFE_Workload_Endpoint.md, section 3).
    static let metadata = [HTTP2Field("workload.spiffe.io", "true")]

    /// A token of the identity for one reader.
    public func jwtSVID(audience: String) throws(AiboxError) -> JWTSVID {
        try endpoint.requireOwned()
        let deadline = ContinuousClock.now + timeout
        let (bundles, entries): ([String: [UInt8]], [WorkloadMessages.JWTEntry])
        do throws(GRPCStatus) {
            let channel = try GRPCChannel(socketPath: endpoint.path, deadline: deadline)
            bundles = try Self.read(try first(channel, .jwtBundles, [], deadline)) {
                (bytes) throws(WorkloadMessages.Unreadable) in
                try WorkloadMessages.jwtBundles(bytes)
            }
            let request = WorkloadMessages.jwtRequest(audience: audience, id: chosen?.description)
            entries = try Self.read(try first(channel, .jwtSVID, request, deadline)) {
                (bytes) throws(WorkloadMessages.Unreadable) in
                try WorkloadMessages.jwtEntries(bytes)
            }
        } catch { throw failure(error) }
        let entry = entries[try choice(entries.map(\.id))]
        return try JWTSVID(entry.token, named: entry.id, audience: audience, bundles: bundles, now: .now)
    }

    /// The certificate of the identity.
    public func x509SVID() throws(AiboxError) -> X509SVID {
        try endpoint.requireOwned()
        let deadline = ContinuousClock.now + timeout
        var message: [UInt8]
        do throws(GRPCStatus) {
            let channel = try GRPCChannel(socketPath: endpoint.path, deadline: deadline)
            message = try first(channel, .x509SVID, [], deadline)
        } catch { throw failure(error) }
        defer { message.wipe() }
        return try x509SVID(message)
    }

    func x509SVID(_ message: [UInt8]) throws(AiboxError) -> X509SVID {
        guard var entries = try? WorkloadMessages.x509Entries(message) else { throw Self.unreadable }
        // The one that is taken holds a copy of its own.
        defer { for index in entries.indices { entries[index].key.wipe() } }
        return try X509SVID(entries[try choice(entries.map(\.id))], now: .now)
    }

    /// The place of the one that is meant; of several with its name (with different hints) the first.
    ///
    /// The standard calls the first of all the default (SPIFFE_Workload_API.md, section 5.3), but whoever adds an entry at the agent
    /// would so change whom aibox is, without a word: between several names the settings decide.
    private func choice(_ offered: [String]) throws(AiboxError) -> Int {
        if offered.isEmpty { throw Self.none }
        let all = Set(offered)
        let names = all.sorted().prefix(8).map { SafeText.escaped(String($0.prefix(200))) }.joined(separator: ", ")
        let words = "it offers " + names + (all.count > 8 ? ", and \(all.count - 8) more" : "")
        guard let chosen else {
            if all.count == 1 { return 0 }
            throw AiboxError(
                .failed, "the SPIFFE Workload API has several identities for this workload", why: words,
                remedy: "aibox config set credentials.spiffe_id with one of them")
        }
        if let place = offered.firstIndex(of: chosen.description) { return place }
        throw AiboxError(
            .failed, Self.notOffered, why: "\(words), not \(chosen)",
            remedy: "have an entry made for it, or aibox config set credentials.spiffe_id with one that is offered")
    }

    /// What errors say of an agent that has other identities than the one that is meant.
    static let notOffered = "the SPIFFE Workload API does not offer the identity"

    /// The first message of an answer; what would follow is not waited for.
    private func first(
        _ channel: GRPCChannel, _ method: Method, _ request: [UInt8], _ deadline: ContinuousClock.Instant
    ) throws(GRPCStatus) -> [UInt8] {
        let call = try channel.begin(
            method.rawValue, request, metadata: Self.metadata, timeout: max(.milliseconds(1), deadline - .now))
        defer { channel.cancel(call) }
        guard let message = try channel.next(call, deadline: deadline) else {
            throw GRPCStatus(.internal, "its answer is empty")
        }
        return message
    }

    private static func read<Value>(
        _ message: [UInt8], _ body: ([UInt8]) throws(WorkloadMessages.Unreadable) -> Value
    ) throws(GRPCStatus) -> Value {
        do throws(WorkloadMessages.Unreadable) { return try body(message) } catch {
            throw GRPCStatus(.internal, "its message cannot be read")
        }
    }

    static var unreadable: AiboxError {
        AiboxError(.failed, "cannot understand the SPIFFE Workload API", why: "its message cannot be read")
    }

    static var none: AiboxError {
        AiboxError(.failed, "the SPIFFE Workload API gave no identity", why: "its answer lists none")
    }

    /// What the codes mean for who asks (SPIFFE_Workload_Endpoint.md, section 6).
    func failure(_ status: GRPCStatus) -> AiboxError {
        let what = "cannot get a SPIFFE identity from \(endpoint.path)"
        switch status.code {
        case .permissionDenied:
            return AiboxError(
                .failed, "this workload has no SPIFFE identity",
                why: status.message.isEmpty
                    ? "the Workload API denies it one" : "the Workload API says: \(status.message)",
                remedy:
                    "have an entry made for it: for SPIRE, spire-server entry create with a selector of this user or program"
            )
        case .unavailable:
            return AiboxError(
                .failed, what, why: status.message.isEmpty ? "the Workload API is not available" : status.message,
                remedy: "see that the SPIFFE agent runs, and that this user may connect to its socket")
        case .deadlineExceeded:
            return AiboxError(.failed, what, why: "it does not answer in time", remedy: "see how the SPIFFE agent is")
        case .invalidArgument:
            return AiboxError(.failed, what, why: "it refuses the request: \(status.message)")
        case .unimplemented:
            return AiboxError(
                .failed, what, why: "it does not offer this kind of identity",
                remedy: "aibox config set credentials.vault_auth to the other of spiffe-jwt and spiffe-x509")
        default:
            return AiboxError(.failed, what, why: status.message.isEmpty ? "status \(status.code)" : status.message)
        }
    }
}
