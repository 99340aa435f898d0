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

decision := answers[input.action]

answers["tool"] := data.aibox.tools.decision if input.action == "tool"

answers["network"] := data.aibox.network.decision if input.action == "network"

answers["file"] := data.aibox.filesystem.decision if input.action == "file"

answers["credential"] := data.aibox.credentials.decision if input.action == "credential"

answers["push"] := data.aibox.push.decision if input.action == "push"

answers["llm"] := data.aibox.llm.decision if input.action == "llm"

answers["mcp"] := data.aibox.mcp.decision if input.action == "mcp"

answers["start"] := data.aibox.admission.decision if input.action == "start"
