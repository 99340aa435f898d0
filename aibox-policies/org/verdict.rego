# METADATA
# title: The form of an answer, and which of several rules counts
package aibox.verdict

layer_order := {"org": 0, "team": 1, "project": 2}

# A rule's answer as a number: the larger, the stricter.
strictness := {"allow": 0, "review-async": 1, "review": 2, "deny": 3}

risk_of := {"allow": "safe", "review": "review-required", "deny": "blocked-by-default"}

# An answer without obligations.
answer(decision, rule, layer, reason) := {
	"decision": decision,
	"risk": risk_of[decision],
	"rule": rule,
	"layer": layer,
	"reason": reason,
	"obligations": [],
}

deny(rule, reason) := answer("deny", rule, "org", reason)

# One answer for several violations {rule, reason}, sorted, so that the same question is refused in the same words.
refuse(violations) := deny(sorted[0][0], concat("; ", [violation[1] | some violation in sorted])) if {
	sorted := sort([[violation.rule, violation.reason] | some violation in violations])
}

# The place of a rule among those that fit; the first one counts: the strictest, then the most specific, then org
# before team before project, then by name. A rule of an unknown layer sorts last and never loosens.
place(decision, specificity, rule) := [
	0 - strictness[decision],
	0 - specificity,
	object.get(layer_order, object.get(rule, "layer", ""), 9),
	object.get(rule, "id", ""),
]

# The first of the candidates {place, answer}.
first(candidates) := choice.answer if {
	least := min({candidate.place | some candidate in candidates})
	some choice in candidates
	choice.place == least
}
