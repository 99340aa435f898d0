# METADATA
# title: Decisions
# description: |
#   Every question of a sandbox ends here. The input is {action, subject, sandbox, policy, request}, the answer
#   {decision, risk, rule, layer, reason, obligations}. What no rule allows is denied.
# entrypoint: true
package aibox

import data.aibox.verdict

default decision := {
	"decision": "deny",
	"risk": "blocked-by-default",
	"rule": "default",
	"layer": "org",
	"reason": "no rule allows this",
	"obligations": [],
}

decision := verdict.refuse(own) if {
	count(own) > 0
} else := verdict.deny("aibox.org", "deny of the organisation's policies in Rego is no set of refusals") if {
	is_malformed
} else := answers[input.action]

# What the organisation's policies in Rego (package aibox.org) refuse. They can add refusals to every question, and
# nothing else. An entry is {rule, reason}; whatever else it is, it refuses.
own contains refusal(entry) if some entry in data.aibox.org.deny

refusal(entry) := {
	"rule": sprintf("%v", [object.get(entry, "rule", "aibox.org")]),
	"reason": sprintf("%v", [object.get(entry, "reason", "the organisation refuses it")]),
} if {
	is_object(entry)
} else := {"rule": "aibox.org", "reason": sprintf("%v", [entry])}

is_malformed if {
	refusals := data.aibox.org.deny
	refusals != set()
}

answers["tool"] := data.aibox.tools.decision if input.action == "tool"

answers["network"] := data.aibox.network.decision if input.action == "network"

answers["file"] := data.aibox.filesystem.decision if input.action == "file"

answers["credential"] := data.aibox.credentials.decision if input.action == "credential"

answers["push"] := data.aibox.push.decision if input.action == "push"

answers["llm"] := data.aibox.llm.decision if input.action == "llm"

answers["mcp"] := data.aibox.mcp.decision if input.action == "mcp"

answers["start"] := data.aibox.admission.decision if input.action == "start"
