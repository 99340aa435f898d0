# METADATA
# title: What may be pushed
package aibox.push

import data.aibox.verdict

default decision := {
	"decision": "review",
	"risk": "review-required",
	"rule": "push.default",
	"layer": "org",
	"reason": "what leaves the sandbox is looked at first",
	"obligations": [],
}

decision := verdict.deny("push.request", "the request names no branch or tag") if {
	not is_named
} else := verdict.first(refusals) if {
	count(refusals) > 0
} else := verdict.first(free) if {
	count(free) > 0
}

is_named if startswith(input.push.ref, "refs/heads/")

is_named if startswith(input.push.ref, "refs/tags/")

short := trim_prefix(trim_prefix(input.push.ref, "refs/heads/"), "refs/tags/")

# History of protected refs is neither rewritten nor removed.
refusals contains { "place": verdict.place("deny", count(entry.pattern), entry), "answer": full } if {
	some entry in input.policy.push.protected
	glob.match(entry.pattern, ["/"], short)
	some change in ["force", "delete"]
	input.push[change] == true
	full := verdict.answer("deny", entry.id, entry.layer, sprintf("%s of %s is not allowed", [change, short]))
}

free contains { "place": verdict.place("allow", count(entry.pattern), entry), "answer": full } if {
	some entry in input.policy.push.unreviewed
	glob.match(entry.pattern, ["/"], short)
	not is_protected
	full := verdict.answer("allow", entry.id, entry.layer, sprintf("%s needs no review", [short]))
}

is_protected if {
	some entry in input.policy.push.protected
	glob.match(entry.pattern, ["/"], short)
}
