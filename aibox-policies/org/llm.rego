# METADATA
# title: Which models may be asked, and how much
package aibox.llm

import data.aibox.verdict

default decision := {
	"decision": "deny",
	"risk": "blocked-by-default",
	"rule": "llm.default",
	"layer": "org",
	"reason": "the model is not on the list",
	"obligations": [],
}

decision := verdict.deny("llm.budget", "the budget of this sandbox is spent") if {
	input.policy.llm.budget_tokens
	object.get(input.request, "tokens_used", 0) >= input.policy.llm.budget_tokens
} else := verdict.deny("llm.rate", "too many requests in this minute") if {
	input.policy.llm.requests_per_minute
	object.get(input.request, "requests_this_minute", 0) >= input.policy.llm.requests_per_minute
} else := object.union(verdict.first(candidates), {"obligations": obligations}) if {
	count(candidates) > 0
}

candidates contains { "place": verdict.place("allow", count(rule.model), rule), "answer": full } if {
	some rule in input.policy.llm.models
	not foreign(rule.model)
	glob.match(rule.model, null, input.request.model)
	full := verdict.answer("allow", rule.id, rule.layer, sprintf("%s is on the list as %s", [input.request.model, rule.model]))
}

# An ARN says whose the model is: only a pattern that begins as one stands for it.
foreign(pattern) if {
	startswith(input.request.model, "arn:")
	not startswith(pattern, "arn:")
}

obligations contains sprintf("log-%s", [input.policy.llm.logging]) if input.policy.llm.logging != "none"

obligations contains "redact" if input.policy.llm.redact == true
