/// What the broker of a sandbox is told: which credentials it holds, where they lead, what may be asked.
///
/// Holds real secrets. It travels over pipes and sockets between aibox's own processes alone, never on a command line, in
/// an environment or in a file, and has no description that a log could print.
public struct BrokerPlan: Sendable, Equatable, CustomStringConvertible, CustomReflectable {
    /// The wire format that a key belongs to.
    public enum API: String, Sendable, CaseIterable {
        /// Anthropic Messages.
        case anthropic
        /// OpenAI Chat Completions and Responses.
        case openai

        /// Where the provider itself answers.
        public var standardBase: String {
            switch self {
            case .anthropic: "https://api.anthropic.com"
            case .openai: "https://api.openai.com"
            }
        }

        /// What a surrogate begins with: as keys of the API do, since programs look at that, and with our name, so that
        /// nobody takes it for one.
        public var surrogatePrefix: String {
            switch self {
            case .anthropic: "sk-ant-aibox-"
            case .openai: "sk-aibox-"
            }
        }
    }

    /// One key and what stands for it inside.
    public struct Grant: Sendable, Equatable {
        /// The credential's name, for the audit log.
        public var name: String
        public var api: API
        /// What the sandbox shows.
        public var surrogate: String
        /// The real key.
        public var secret: String
        /// `https://host[:port][/path]`: what the API's own paths are appended to. Or several of them, with commas between them: the
        /// first is asked, the next one where it cannot be.
        public var base: String
        /// The header that carries the key; nil: the API's own. `Authorization` carries it as Bearer.
        public var header: String?
        /// Seconds since 1970 from which on it is refused; nil: never.
        public var expires: Int64?
        /// What is said from then on; nil: that the time is over.
        public var note: String?
        /// `base` is a gateway of the organisation's own, which is told who asks.
        public var tellsWho = false

        public init(
            name: String, api: API, surrogate: String, secret: String, base: String? = nil, header: String? = nil,
            expires: Int64? = nil
        ) {
            self.name = name
            self.api = api
            self.surrogate = surrogate
            self.secret = secret
            self.base = base ?? api.standardBase
            self.header = header
            self.expires = expires
        }
    }

    /// How much the sandbox may ask; nil: as much as it likes.
    public struct Limits: Sendable, Equatable {
        public var requestsPerMinute: Int?
        public var tokensPerMinute: Int?
        /// In all, what is spent already included.
        public var tokens: Int?
        /// Spent before this plan.
        public var spent: Int
        /// Of all the user's sandboxes on one day of UTC.
        public var dailyTokens: Int?
        /// The same, in millionths of the currency.
        public var dailyCost: Int?

        /// Of this sandbox alone on one day of UTC, however often it is started.
        public var sandboxDailyTokens: Int?
        /// The same, in millionths of the currency.
        public var sandboxDailyCost: Int?

        /// The gateway, which knows of the other sandboxes and of what was before, has to be asked.
        public var areDaily: Bool { dailyTokens != nil || dailyCost != nil || areDailyOfSandbox }
        public var areDailyOfSandbox: Bool { sandboxDailyTokens != nil || sandboxDailyCost != nil }
        /// The field that limits what a day may cost; nil: none does.
        public var costField: String? {
            if dailyCost != nil { return "llm.daily_cost" }
            return sandboxDailyCost != nil ? "llm.sandbox_daily_cost" : nil
        }

        public init(
            requestsPerMinute: Int? = nil, tokensPerMinute: Int? = nil, tokens: Int? = nil, spent: Int = 0,
            dailyTokens: Int? = nil, dailyCost: Int? = nil, sandboxDailyTokens: Int? = nil,
            sandboxDailyCost: Int? = nil
        ) {
            self.sandboxDailyTokens = sandboxDailyTokens
            self.sandboxDailyCost = sandboxDailyCost
            self.dailyTokens = dailyTokens
            self.dailyCost = dailyCost
            self.requestsPerMinute = requestsPerMinute
            self.tokensPerMinute = tokensPerMinute
            self.tokens = tokens
            self.spent = spent
        }
    }

    /// Keys for language models.
    public var grants: [Grant]
    /// Credentials for git servers, mirrors of packages and other places.
    public var places: [PlaceGrant]
    /// Names in which `*` stands for anything; none: no model may be asked.
    public var models: [String]
    public var limits: Limits
    /// Who wrote the lists, for refusals: `org`, `team`, `project`.
    public var layer: String
    /// What is written down beside the counts: a digest of each body.
    public var digests: Bool
    /// Files may be kept at the provider.
    public var permitsUploads = false
    /// What must not leave with a request.
    public var leaks: [LeakRule] = []
    /// Where requests and answers are kept, encrypted; nil: nowhere.
    public var payloads: Payloads?
    /// What models cost; the first that fits counts.
    public var prices: [LLMPrice] = []
    /// Blocks of addresses that names may lead to although they are not public.
    public var targets: [String]
    /// Names with fixed addresses, asked before any name server.
    public var names: [PinnedName]
    /// PEM files of authorities that upstreams may have beside the system's.
    public var authorities: [String]

    public struct Payloads: Sendable, Equatable {
        public var folder: String
        /// Whose key they are encrypted for: `aibox-recording:BASE64`.
        public var recipient: String
        /// What rules of `llm.dlp` look for is masked, beside the keys.
        public var masksLeaks: Bool
        /// Bytes of the folder; nil: any number.
        public var size: Int?
        /// Days; nil: any number.
        public var days: Int?

        public init(folder: String, recipient: String, masksLeaks: Bool) {
            self.folder = folder
            self.recipient = recipient
            self.masksLeaks = masksLeaks
        }
    }

    public struct PinnedName: Sendable, Equatable {
        public var name: String
        public var addresses: [String]

        public init(name: String, addresses: [String]) {
            self.name = name
            self.addresses = addresses
        }
    }

    public init(
        grants: [Grant] = [], places: [PlaceGrant] = [], models: [String] = [], limits: Limits = Limits(),
        layer: String = "org", digests: Bool = false,
        targets: [String] = [], names: [PinnedName] = [], authorities: [String] = []
    ) {
        self.grants = grants
        self.places = places
        self.models = models
        self.limits = limits
        self.layer = layer
        self.digests = digests
        self.targets = targets
        self.names = names
        self.authorities = authorities
    }

    public var description: String { "broker plan of \(grants.count) keys, \(places.count) places" }
    public var customMirror: Mirror { Mirror(self, children: [], displayStyle: .struct) }

    /// The port of the gateway's address at which the proxy answers the sandbox.
    public static let port: UInt16 = 8443
}

extension BrokerPlan.Grant: CustomStringConvertible, CustomReflectable {
    public var description: String { "\(api.rawValue) key \(name)" }
    public var customMirror: Mirror { Mirror(self, children: [], displayStyle: .struct) }
}

extension BrokerPlan {
    public var json: JSONValue {
        var object: JSONObject = [
            "grants": .array(grants.map(\.json)), "places": .array(places.map(\.json)),
            "models": .array(models.map { .string($0) }),
            "limits": limits.json, "layer": .string(layer), "digests": .bool(digests),
            "targets": .array(targets.map { .string($0) }),
            "authorities": .array(authorities.map { .string($0) }),
        ]
        object["payloads"] = payloads.map {
            var payloads: JSONObject = [
                "folder": .string($0.folder), "recipient": .string($0.recipient), "masksLeaks": .bool($0.masksLeaks),
            ]
            payloads["size"] = $0.size.map { .integer(Int64($0)) }
            payloads["days"] = $0.days.map { .integer(Int64($0)) }
            return .object(payloads)
        }
        if permitsUploads { object["permitsUploads"] = true }
        if !prices.isEmpty { object["prices"] = .array(prices.map(\.json)) }
        if !leaks.isEmpty { object["leaks"] = .array(leaks.map(\.json)) }
        object["names"] = .array(
            names.map { ["name": .string($0.name), "addresses": .array($0.addresses.map { .string($0) })] })
        return .object(object)
    }

    public init(json: JSONValue) throws(WireError) {
        var fields = try WireFields(json, in: "broker plan")
        var grants: [Grant] = []
        for entry in try fields.list("grants") { grants.append(try Grant(json: entry)) }
        var places: [PlaceGrant] = []
        for entry in try fields.list("places") { places.append(try PlaceGrant(json: entry)) }
        var names: [PinnedName] = []
        for entry in try fields.list("names") {
            var name = try WireFields(entry, in: "name")
            names.append(PinnedName(name: try name.string("name"), addresses: try name.texts("addresses")))
            try name.finish()
        }
        self.init(
            grants: grants, places: places, models: try fields.texts("models"),
            limits: try Limits(json: fields.take("limits") ?? .null), layer: try fields.string("layer"),
            digests: try fields.bool("digests"), targets: try fields.texts("targets"), names: names,
            authorities: try fields.texts("authorities"))
        if let place = fields.take("payloads") {
            var place = try WireFields(place, in: "payloads")
            var payloads = Payloads(
                folder: try place.string("folder"), recipient: try place.string("recipient"),
                masksLeaks: try place.bool("masksLeaks"))
            payloads.size = try place.optionalInteger("size")
            payloads.days = try place.optionalInteger("days")
            try place.finish()
            if min(payloads.size ?? 0, payloads.days ?? 0) < 0 { throw place.error("a bound is below zero") }
            self.payloads = payloads
        }
        permitsUploads = try fields.optionalBool("permitsUploads") ?? false
        for entry in try fields.optionalList("prices") ?? [] { prices.append(try LLMPrice(json: entry)) }
        for entry in try fields.optionalList("leaks") ?? [] { leaks.append(try LeakRule(json: entry)) }
        try fields.finish()
        if Set(grants.map(\.surrogate)).count != grants.count { throw fields.error("a surrogate stands for two keys") }
    }
}

extension BrokerPlan.Grant {
    public var bases: [String] { Self.bases(base) }

    /// One by one.
    public static func bases(_ text: String) -> [String] {
        text.split(separator: ",").map { $0.filter { $0 != " " } }.filter { !$0.isEmpty }
    }

    public var json: JSONValue {
        var object: JSONObject = [
            "name": .string(name), "api": .string(api.rawValue), "surrogate": .string(surrogate),
            "secret": .string(secret), "base": .string(base),
        ]
        object["header"] = header.map { .string($0) }
        object["expires"] = expires.map { .integer($0) }
        object["note"] = note.map { .string($0) }
        if tellsWho { object["tellsWho"] = true }
        return .object(object)
    }

    public init(json: JSONValue) throws(WireError) {
        var fields = try WireFields(json, in: "LLM key")
        guard let api = BrokerPlan.API(rawValue: try fields.string("api")) else { throw fields.error("api is unknown") }
        self.init(
            name: try fields.string("name"), api: api, surrogate: try fields.string("surrogate"),
            secret: try fields.string("secret"), base: try fields.string("base"),
            header: try fields.optionalString("header"), expires: try fields.optionalInteger("expires"))
        note = try fields.optionalString("note")
        tellsWho = try fields.optionalBool("tellsWho") ?? false
        try fields.finish()
        // A surrogate that is short could be guessed, and one that is a part of the key would be taken out with it.
        if surrogate.utf8.count < 24 { throw fields.error("a surrogate is shorter than 24 characters") }
        for text in [surrogate, secret] where text.isEmpty || !text.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) {
            throw fields.error("a key is empty, or has a character that no header carries")
        }
    }
}

extension BrokerPlan.Limits {
    public var json: JSONValue {
        var object: JSONObject = ["spent": .integer(Int64(spent))]
        object["requestsPerMinute"] = requestsPerMinute.map { .integer(Int64($0)) }
        object["tokensPerMinute"] = tokensPerMinute.map { .integer(Int64($0)) }
        object["tokens"] = tokens.map { .integer(Int64($0)) }
        object["dailyTokens"] = dailyTokens.map { .integer(Int64($0)) }
        object["dailyCost"] = dailyCost.map { .integer(Int64($0)) }
        object["sandboxDailyTokens"] = sandboxDailyTokens.map { .integer(Int64($0)) }
        object["sandboxDailyCost"] = sandboxDailyCost.map { .integer(Int64($0)) }
        return .object(object)
    }

    public init(json: JSONValue) throws(WireError) {
        var fields = try WireFields(json, in: "LLM limits")
        self.init(
            requestsPerMinute: try fields.optionalInteger("requestsPerMinute"),
            tokensPerMinute: try fields.optionalInteger("tokensPerMinute"),
            tokens: try fields.optionalInteger("tokens"),
            spent: try fields.integer("spent"), dailyTokens: try fields.optionalInteger("dailyTokens"),
            dailyCost: try fields.optionalInteger("dailyCost"),
            sandboxDailyTokens: try fields.optionalInteger("sandboxDailyTokens"),
            sandboxDailyCost: try fields.optionalInteger("sandboxDailyCost"))
        try fields.finish()
        let all = [
            requestsPerMinute, tokensPerMinute, tokens, spent, dailyTokens, dailyCost, sandboxDailyTokens,
            sandboxDailyCost,
        ]
        if all.contains(where: { $0 ?? 0 < 0 }) {
            throw fields.error("a limit is below zero")
        }
    }
}
