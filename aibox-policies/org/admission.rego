# METADATA
# title: Whether a sandbox may start
# description: Evaluated on the effective policy and the sandbox's specification before anything is made.
package aibox.admission

import data.aibox.verdict

decision := verdict.answer("allow", "admission", "org", "the specification holds the policy") if {
	count(violations) == 0
} else := verdict.refuse(violations)

# Each is {rule, reason}.
violations := (data.aibox.runtime.deny | data.aibox.mounts.deny) | (data.aibox.resources.deny | incomplete)

incomplete contains { "rule": sprintf("policy.%s", [section]), "reason": sprintf("the effective policy has no %s section", [section]) } if {
	some section in ["credentials", "filesystem", "network", "resources", "runtime", "tools"]
	not is_object(object.get(input.policy, section, null))
}
