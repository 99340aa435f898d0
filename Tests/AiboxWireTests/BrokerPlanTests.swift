import Testing

@testable import AiboxWire

@Suite("What the broker is told")
struct BrokerPlanTests {
    private static let surrogate = "sk-ant-aibox-0123456789abcdef"

    private static func plan() -> BrokerPlan {
        BrokerPlan(
            grants: [
                .init(
                    name: "llm-api-key:anthropic", api: .anthropic, surrogate: surrogate, secret: "sk-canary-1",
                    base: "https://models.example/x", header: "api-key", expires: 7),
                .init(name: "llm-api-key:openai", api: .openai, surrogate: surrogate + "2", secret: "sk-canary-2"),
            ],
            places: [
                PlaceGrant(
                    .git,
                    name: "git-token:git.example", host: "git.example", port: 8443, path: "/team",
                    value: "Basic Y2FuYXJ5LTM=", secret: "canary-3", expires: 9),
                PlaceGrant(
                    .git, name: "git-token:a.example", host: "a.example", value: "Bearer canary-4", secret: "canary-4"),
            ],
            models: ["claude-*"],
            limits: .init(
                requestsPerMinute: 1, tokensPerMinute: 2, tokens: 3, spent: 4, dailyTokens: 5, dailyCost: 6,
                sandboxDailyTokens: 7, sandboxDailyCost: 8),
            layer: "team", digests: true, targets: ["10.0.0.0/8"],
            names: [.init(name: "git.example", addresses: ["10.0.0.1", "fd00::1"])], authorities: ["/etc/ca.pem"])
    }

    @Test("it is read back as it was written")
    func roundTrip() throws {
        var told = Self.plan()
        told.grants[0].tellsWho = true
        for plan in [Self.plan(), told, BrokerPlan()] {
            #expect(try BrokerPlan(json: JSONParser.parse(plan.json.bytes)) == plan)
        }
    }

    /// The plan's JSON with one member, `grants` or `places` its first entry, changed.
    private static func changed(_ list: String, _ name: String, _ value: JSONValue?) -> JSONValue {
        guard case .object(var plan) = plan().json else { return .null }
        if list.isEmpty {
            plan[name] = value
        } else if case .array(var entries)? = plan[list], case .object(var entry) = entries[0] {
            entry[name] = value
            entries[0] = .object(entry)
            plan[list] = .array(entries)
        }
        return .object(plan)
    }

    @Test(
        "nothing is guessed",
        arguments: [
            ("an API nobody knows", "grants", "api", "gemini"), ("a short surrogate", "grants", "surrogate", "sk-1"),
            ("one surrogate for two", "grants", "surrogate", .string(surrogate + "2")),
            ("no key", "grants", "secret", ""), ("a line break in a key", "grants", "secret", "a\r\nb: c"),
            ("a key that is not there", "grants", "secret", nil), ("an unknown field", "grants", "more", 1),
            ("a git secret that is empty", "places", "secret", ""),
            ("a line break", "places", "value", "Basic x\r\na: b"),
            ("letters of no header", "places", "value", "Basic \u{E9}"),
            ("a path that is none", "places", "path", "team"),
            ("port 0", "places", "port", 0), ("a port beyond all", "places", "port", 65536),
            ("no host", "places", "host", ""),
            ("an unknown field", "places", "more", 1), ("no places", "", "places", nil),
            ("no models", "", "models", nil),
            ("models that are none", "", "models", [1]), ("an unknown member", "", "more", 1),
            ("a limit below zero", "", "limits", ["spent": 0, "tokens": -1]), ("no limits", "", "limits", nil),
        ] as [(String, String, String, JSONValue?)])
    func refused(why: String, list: String, name: String, value: JSONValue?) {
        #expect(throws: WireError.self, "\(why)") { try BrokerPlan(json: Self.changed(list, name, value)) }
    }

    @Test("no description and no dump has a secret, nor has a refusal")
    func silent() {
        let plan = Self.plan()
        var texts = ["\(plan)", "\(plan.grants)", "\(plan.places)", String(reflecting: plan)]
        for value in [plan, plan.grants, plan.places, plan.grants[0], plan.places[0], [plan]] as [Any] {
            var text = ""
            dump(value, to: &text)
            texts += [text, String(reflecting: value)]
        }
        for (list, name) in [("grants", "api"), ("places", "path"), ("grants", "secret"), ("places", "value")] {
            do {
                _ = try BrokerPlan(json: Self.changed(list, name, "canary\n5"))
                Issue.record("\(name) was taken")
            } catch { texts += ["\(error)", String(reflecting: error)] }
        }
        for text in texts { #expect(!text.contains("canary") && !text.contains("Y2FuYXJ5"), "\(text)") }
    }

    @Test("what was lent follows its credential, and never gets further or longer than it was lent")
    func followed() {
        let plan = Self.plan()
        let lifetimes: [String: Int64] = ["llm-api-key:anthropic": 100, "git-token:git.example": 50]
        func after(_ change: CredentialChange) -> BrokerPlan { plan.after(change, now: 1000, lifetimes: lifetimes) }
        let anthropic = "llm-api-key:anthropic"

        let key = CredentialChange.Key(secret: "another-key", base: "https://models.example/x", header: "h")
        var renewed = after(CredentialChange(name: anthropic, key: key))
        #expect(renewed.grants[0].secret == "another-key" && renewed.grants[0].header == "h")
        #expect(renewed.grants[0].surrogate == Self.surrogate && renewed.grants[0].expires == 1100)
        renewed.grants[0] = plan.grants[0]
        #expect(renewed == plan, "nothing else changes")
        var short = key
        short.expires = 1010
        #expect(after(CredentialChange(name: anthropic, key: short)).grants[0].expires == 1010)

        // Elsewhere: to another place, or to the provider itself.
        var elsewhere = key
        for base in ["https://evil.example", nil] {
            elsewhere.base = base
            #expect(after(CredentialChange(name: anthropic, key: elsewhere)).grants == [plan.grants[1]])
        }
        #expect(after(CredentialChange(name: anthropic)).grants == [plan.grants[1]])
        #expect(after(CredentialChange(name: "llm-api-key:other", key: key)) == plan)

        var grant = plan.places[0]
        (grant.secret, grant.value, grant.expires) = ("canary-new", "Bearer canary-new", nil)
        let replaced = after(CredentialChange(name: grant.name, places: [grant]))
        #expect(replaced.places[0].value == "Bearer canary-new" && replaced.places[0].expires == 1050)
        #expect(replaced.places[1] == plan.places[1] && replaced.grants == plan.grants)
        grant.path = "/elsewhere"
        #expect(after(CredentialChange(name: grant.name, places: [grant])).places == [plan.places[1]])
        #expect(after(CredentialChange(name: grant.name)).places == [plan.places[1]])
    }

    @Test("the keeper of leases moves an end forth and back, never past the policy's, and says why")
    func leased() {
        let plan = Self.plan()
        let anthropic = "llm-api-key:anthropic"
        let key = CredentialChange.Key(secret: "another-key", base: "https://models.example/x")
        func after(_ plan: BrokerPlan, _ lease: CredentialChange.Lease?) -> BrokerPlan.Grant {
            plan.after(
                CredentialChange(name: anthropic, key: key, lease: lease), now: 1000, lifetimes: [anthropic: 100]
            ).grants[0]
        }
        #expect(after(plan, .init(until: 1050)).expires == 1050 && after(plan, .init(until: 5000)).expires == 1100)
        #expect(after(plan, .init(until: 900)).expires == 900 && after(plan, .init()).expires == 1100)
        let noted = after(plan, .init(until: 1050, note: "Vault has not answered"))
        #expect(noted.note == "Vault has not answered" && (try? BrokerPlan.Grant(json: noted.json)) == noted)
        var told = plan
        told.grants[0] = noted
        #expect(after(told, .init(until: 1060)).note == nil)
        var grant = plan.places[0]
        grant.note = "why"
        #expect((try? PlaceGrant(json: grant.json)) == grant)

        let renewal = CredentialChange(name: anthropic, key: key, lease: .init(until: 1050))
        #expect(renewal.isRenewal && (try? CredentialChange(json: renewal.json)) == renewal)
        #expect(!CredentialChange(name: anthropic, key: key).isRenewal)
        #expect(!CredentialChange(name: anthropic, key: key, lease: .init(until: 1, reason: "new")).isRenewal)
        #expect(!CredentialChange(name: anthropic, lease: .init(until: 1)).isRenewal, "to take back is no renewal")
        let long = CredentialChange(name: anthropic, lease: .init(reason: String(repeating: "a", count: 501)))
        #expect(throws: WireError.self) { try CredentialChange(json: long.json) }
    }

    @Test("orders to the keeper of leases and its reports come back as they went")
    func keeper() throws {
        let vault = LeaseRevocationSettings(
            credentials: ["credentials.vault_addr": "https://v.example"], folder: "/f", key: "/k",
            audit: GatewaySettings.AuditPlace(folder: "/a", checkpoints: "/c", session: "s"), user: "u")
        let begin = LeaseKeeperOrder.begin(
            LeaseKeeperSettings(
                vault: vault, sandbox: "box", runFolder: "/r", modelGateway: "", lent: ["custom:a": 7],
                revokesOnStop: false))
        for order in [begin, .keep, .revoke(vault)] { #expect(try LeaseKeeperOrder(json: order.json) == order) }
        let reports: [LeaseKeeperReport] = [
            .lent([CredentialChange(name: "n")]), .kept, .failed(WireError(what: "w", why: "y")),
        ]
        for report in reports { #expect(try LeaseKeeperReport(json: report.json) == report) }
        for json in [
            [:], ["version": 2, "keep": true], ["version": 1], ["version": 1, "keep": false],
            ["version": 1, "keep": true, "more": 1], ["version": 1, "begin": [:]],
        ] as [JSONValue] {
            #expect(throws: WireError.self) { try LeaseKeeperOrder(json: json) }
            #expect(throws: WireError.self) { try LeaseKeeperReport(json: json) }
        }
    }

    @Test("a secret that no broker takes is refused before one is told", arguments: ["", "short", "a line\nbreak"])
    func unusable(secret: String) {
        let key = CredentialChange(name: "n", key: .init(secret: secret))
        #expect(throws: WireError.self) { try CredentialChange(json: key.json) }
        let grant = PlaceGrant(.git, name: "n", host: "h", value: "Bearer " + secret, secret: secret)
        #expect(throws: WireError.self) {
            try CredentialChange(json: CredentialChange(name: "n", places: [grant]).json)
        }
        #expect(!"\(key)".contains("break") && !String(reflecting: grant).contains("break"))
    }
}
