# METADATA
# title: Whether a sandbox may start
# description: Evaluated on the effective policy and the sandbox's specification before anything is made.
package aibox.admission

import data.aibox.verdict

decision := verdict.answer("allow", "admission", "org", "the specification holds the policy") if {
	count(violations) == 0
} else := object.union(
	verdict.deny(first.rule, concat("; ", [violation.reason | some violation in violations])),
	{"obligations": []},
)

first := violations[0]

# Sorted, so that the same start is refused in the same words.
violations := sort(data.aibox.runtime.deny | data.aibox.resources.deny | incomplete)

incomplete contains { "rule": sprintf("policy.%s", [section]), "reason": sprintf("the effective policy has no %s section", [section]) } if {
	some section in ["credentials", "filesystem", "network", "resources", "runtime", "tools"]
	not is_object(object.get(input.policy, section, null))
}
