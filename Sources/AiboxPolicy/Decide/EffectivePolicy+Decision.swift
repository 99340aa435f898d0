import AiboxNetwork
public import AiboxWire

extension EffectivePolicy {
    /// The policy as the policies in Rego read it: entries have an id and the layer that says so.
    public var decisionDocument: JSONValue {
        func entries(_ field: String, _ member: String) -> JSONValue {
            .array(
                (values[field]?.elements ?? []).map { item in
                    [
                        "id": .string("\(field):\(item.text ?? "")"), "layer": .string(item.origin.layer.rawValue),
                        member: .string(item.text ?? ""),
                    ]
                })
        }
        var llm: JSONObject = ["models": entries("llm.models", "model")]
        for name in ["budget_tokens", "requests_per_minute", "logging", "redact"] {
            llm[name] = values["llm." + name]?.json
        }
        return [
            "network": ["allow": (try? AllowList(NetworkPolicy(self).allow))?.decisionDocument ?? []],
            "runtime": [
                "engine": .string(text("runtime.engine")),
                "fallback": .array((values["runtime.fallback"]?.texts ?? []).map { .string($0) }),
                "rootless": .bool(values["runtime.rootless"]?.boolean ?? false),
            ],
            "resources": .object(resources),
            "filesystem": [
                "workspace_root": .string(text("filesystem.workspace_root")),
                "deny": entries("filesystem.deny", "path"), "protected": entries("filesystem.protected", "path"),
            ],
            "tools": ["rules": .array((values["tools.rules"]?.elements ?? []).map(Self.rule))],
            "credentials": .object(credentials), "llm": .object(llm),
            "push": [
                "protected": entries("push.protected", "pattern"), "unreviewed": entries("push.unreviewed", "pattern"),
            ],
            "mcp": ["servers": .array((values["mcp.servers"]?.elements ?? []).map(Self.server))],
        ]
    }

    /// The limits that something enforces, in bytes where they are sizes.
    private var resources: JSONObject {
        var limits: JSONObject = [:]
        for name in ["cpus", "memory", "pids", "tmp_size"] {
            limits[name] = values["resources." + name]?.integer.map { .integer(Int64($0)) }
        }
        return limits
    }

    private static func rule(_ item: PolicyItem) -> JSONValue {
        var rule = JSONObject(
            item.members.sorted { $0.key < $1.key }.map { JSONObject.Member($0.key, $0.value.json) })
        rule["id"] = rule["id"] ?? .string((item["match"]?.texts ?? []).joined(separator: " "))
        rule["layer"] = .string(item.origin.layer.rawValue)
        return .object(rule)
    }

    private static func server(_ item: PolicyItem) -> JSONValue {
        [
            "id": item["id"]?.json ?? .null, "tools": item["tools"]?.json ?? [:],
            "layer": .string(item.origin.layer.rawValue),
        ]
    }

    private var credentials: JSONObject {
        var types: [JSONValue] = []
        for type in ["git_token", "llm_api_key", "mirror_token", "custom"] {
            guard let item = values["credentials.\(type)_ttl"], let seconds = item.integer, seconds > 0 else {
                continue
            }
            types.append([
                "id": .string("credentials.\(type)_ttl"), "type": .string(type),
                "ttl_seconds": .integer(Int64(seconds)),
                "layer": .string(item.origin.layer.rawValue),
            ])
        }
        var object: JSONObject = ["types": .array(types)]
        for name in ["injection", "on_misuse", "revoke_on_stop", "no_persist_to_workspace"] {
            object[name] = values["credentials." + name]?.json
        }
        return object
    }
}
