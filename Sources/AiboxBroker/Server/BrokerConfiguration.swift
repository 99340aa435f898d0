import AiboxNetwork
import AiboxSystem
import AiboxWire
import NIOCore
import NIOPosix

/// A plan, checked and ready to decide by. Replaced as a whole.
final class BrokerConfiguration: Sendable {
    let plan: BrokerPlan
    let models: ModelList
    /// Whose paths the keys' servers have; nil: the APIs' own.
    let style: LLMStyle?
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
        style = plan.grants.first.flatMap { LLMStyle.of($0.base) }
        var bases: [[UpstreamBase]] = []
        for grant in plan.grants {
            let what = "cannot use the LLM key \(grant.name)"
            if grant.wouldShowAWSKey {
                throw AiboxError(
                    .failed, what, why: "a key of AWS signs requests to Bedrock, and this one would go out as it is",
                    remedy: "set network.llm_gateway to bedrock+https://..., or store another key")
            }
            var upstreams: [UpstreamBase] = []
            for url in grant.bases {
                let (style, address) = LLMStyle.split(url)
                guard let base = UpstreamBase(address), style == self.style else {
                    throw AiboxError(.failed, what, why: "\(SafeText.escaped(url)) is no https or http URL of a server")
                }
                guard style?.accepts(address) ?? true else {
                    throw AiboxError(
                        .failed, what, why: "\(SafeText.escaped(url)) has not the path that is needed there",
                        remedy: "see network.llm_gateway in docs/llm-proxy.md")
                }
                if style == .bedrock, AWSKey.begins(grant.secret), LLMStyle.region(base.host) == nil {
                    throw AiboxError(
                        .failed, what, why: "\(base.host) tells no region that requests could be signed for",
                        remedy:
                            "name it as AWS does (bedrock-runtime.REGION.amazonaws.com), or take a key of Bedrock's own"
                    )
                }
                if !upstreams.contains(base) { upstreams.append(base) }
            }
            if style == .bedrock, AWSKey.begins(grant.secret), AWSKey(grant.secret) == nil {
                throw AiboxError(
                    .failed, what, why: "a key of AWS has a secret",
                    remedy: "add it as ID:SECRET, or ID:SECRET:TOKEN where it is a session's")
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
        forms = SecretForms(plan.grants.flatMap(\.secrets) + plan.places.map(\.secret))
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
