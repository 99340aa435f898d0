# METADATA
# title: Which MCP servers and tools may be used
package aibox.mcp

import data.aibox.verdict

default decision := {
	"decision": "deny",
	"risk": "blocked-by-default",
	"rule": "mcp.default",
	"layer": "org",
	"reason": "the server or its tool is not on the list",
	"obligations": [],
}

decision := verdict.first(candidates) if count(candidates) > 0

candidates contains { "place": verdict.place(outcome, count(pattern), server), "answer": full } if {
	some server in input.policy.mcp.servers
	server.id == input.request.server
	some pattern, risk in server.tools
	glob.match(pattern, null, input.request.tool)
	outcome := object.get(outcomes, risk, "deny")
	full := verdict.answer(outcome, server.id, server.layer, sprintf("%s fits %s of %s", [input.request.tool, pattern, server.id]))
}

outcomes := {"safe": "allow", "review-required": "review", "blocked-by-default": "deny"}
