import AiboxAudit
import AiboxConfig
import AiboxPolicy
import AiboxSystem
import AiboxWire

/// The signed bundles that the settings name, and the words of the audit log about them.
struct PolicyBundles {
    let global: GlobalOptions
    let stores: [BundleStore]
    private let baseline: PolicyModules

    init(_ global: GlobalOptions) throws {
        self.global = global
        let layers = global.layers()
        let loaded = try layers.load()
        try layers.requireOrgPolicy(loaded)
        let configured = ConfiguredPolicy(loaded.configuration.policy, paths: layers.paths)
        stores = try [PolicyLayer.org, .team].compactMap { try configured.bundle($0) }
        baseline = stores.isEmpty ? PolicyModules([]) : try BuiltIn.rego()
    }

    /// Before a start: fetches what is missing or due, and says what is used although its source does not answer.
    ///
    /// - Throws: `policyInvalid` where no bundle can be used; the audit log has the refusal.
    func renew() throws(AiboxError) {
        for store in stores {
            do throws(AiboxError) {
                let notes = try store.renew { () throws(AiboxError) in _ = try pull(store, patience: .seconds(10)) }
                for note in notes { global.output.note("aibox: " + note) }
            } catch {
                try CommandAudit(global: global, wakes: false).record(
                    .policyDeny, subject: "start", outcome: .denied,
                    [
                        "action": "start", "rule": .string("policy.\(store.layer.rawValue)_bundle_url"),
                        "layer": .string(store.layer.rawValue), "reason": .string(error.reason),
                    ])
                throw error
            }
        }
    }

    func pull(_ store: BundleStore, patience: Duration = .seconds(60)) throws(AiboxError) -> PulledBundle {
        do throws(AiboxError) {
            return try store.pull(baseline, patience: patience, announce: announce(store))
        } catch {
            if error.code == .policyInvalid {
                try CommandAudit(global: global, wakes: false).record(
                    .policyChange, subject: store.source, outcome: .denied,
                    ["layer": .string(store.layer.rawValue), "reason": .string(error.reason)])
            }
            throw error
        }
    }

    private func announce(_ store: BundleStore) -> (PulledBundle) throws(AiboxError) -> Void {
        { (pulled) throws(AiboxError) in
            var details: JSONObject = [
                "layer": .string(pulled.layer.rawValue), "change": .string("bundle version \(pulled.version)"),
                "to": .string(pulled.digest),
            ]
            details["from"] = pulled.before.map { .string($0) }
            try CommandAudit(global: global, wakes: false).record(.policyChange, subject: store.source, details)
        }
    }
}
