import AiboxNetwork
import AiboxSystem
import AiboxWire
import NIOCore
import NIOPosix

/// A plan, checked and ready to decide by. Replaced as a whole.
final class BrokerConfiguration: Sendable {
    let plan: BrokerPlan
    let models: ModelList
    let forms: SecretForms
    let connector: UpstreamConnector
    /// How content is kept; nil: not at all.
    let payloads: PayloadRule?
    /// What must not leave; nil: nothing is looked for.
    let leaks: LeakScreen?
    /// What stands for credentials, for requests that show it in a wrong place.
    let screen: SurrogateScreen
    private let bases: [[UpstreamBase]]
    let places: [PlaceAccess]

    init(_ plan: BrokerPlan, threads: NIOThreadPool, connectTime: TimeAmount) throws(AiboxError) {
        self.plan = plan
        models = ModelList(plan.models)
        var bases: [[UpstreamBase]] = []
        for grant in plan.grants {
            let what = "cannot use the LLM key \(grant.name)"
            var upstreams: [UpstreamBase] = []
            for url in grant.bases {
                guard let base = UpstreamBase(url) else {
                    throw AiboxError(.failed, what, why: "\(SafeText.escaped(url)) is no https or http URL of a server")
                }
                if !upstreams.contains(base) { upstreams.append(base) }
            }
            if grant.secret.utf8.count < 8 {
                throw AiboxError(.failed, what, why: "it is shorter than 8 characters, and could not be told from text")
            }
            let header = grant.header ?? "x-api-key"
            guard !header.isEmpty, header.utf8.allSatisfy({ Self.isName($0) }) else {
                throw AiboxError(.failed, what, why: "\(SafeText.escaped(header)) is no name of a header")
            }
            bases.append(upstreams)
        }
        self.bases = bases
        var places: [PlaceAccess] = []
        for grant in plan.places { places.append(try PlaceAccess(grant)) }
        // The longest path is the nearest.
        self.places = places.sorted { $0.grant.path.utf8.count > $1.grant.path.utf8.count }
        forms = SecretForms(plan.grants.map(\.secret) + plan.places.map(\.secret))
        payloads = try PayloadRule(plan)
        leaks = try LeakScreen(plan.leaks)
        screen = SurrogateScreen(plan.grants)
        connector = try UpstreamConnector(plan, threads: threads, patience: connectTime)
    }

    private static func isName(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"):
            true
        default: false
        }
    }

    /// What a model costs; nil where nobody says.
    func price(of model: String) -> LLMPrice? { plan.prices.first { ModelList.matches($0.model, model) } }

    /// Where its requests go: to the first one that can be asked. Empty for a grant of another plan.
    func bases(of grant: BrokerPlan.Grant) -> [UpstreamBase] {
        plan.grants.firstIndex { $0.surrogate == grant.surrogate }.map { bases[$0] } ?? []
    }
}
