# METADATA
# title: Which credentials are lent, to whom and for how long
package aibox.credentials

import data.aibox.verdict

default decision := {
	"decision": "deny",
	"risk": "blocked-by-default",
	"rule": "credentials.default",
	"layer": "org",
	"reason": "no such credential is lent",
	"obligations": [],
}

decision := verdict.answer("deny", first_problem.rule, limit.layer, first_problem.reason) if {
	first_problem
} else := object.union(
	verdict.answer("allow", limit.id, limit.layer, sprintf("%s is lent for %v s", [input.credential.type, input.credential.ttl_seconds])),
	{"obligations": obligations},
) if {
	limit
}

limit := found if {
	some found in input.policy.credentials.types
	found.type == input.credential.type
}

first_problem := problems[min(object.keys(problems))]

problems[1] := {"rule": "credentials.ttl", "reason": "the lifetime is missing or no number of seconds"} if {
	limit
	not is_number(input.credential.ttl_seconds)
}

problems[2] := {"rule": "credentials.ttl", "reason": sprintf("lifetimes are from 1 to %d s", [limit.ttl_seconds])} if {
	some seconds in [input.credential.ttl_seconds]
	is_number(seconds)
	not in_range(seconds)
}

problems[3] := {"rule": "credentials.injection", "reason": "the real value stays outside of the sandbox"} if {
	limit
	object.get(input.credential, "injection", "surrogate") != "surrogate"
}

problems[4] := {"rule": "credentials.destination", "reason": sprintf("%s is not for %s", [limit.type, input.credential.destination])} if {
	limit.destinations
	not input.credential.destination in limit.destinations
}

in_range(seconds) if {
	seconds >= 1
	seconds <= limit.ttl_seconds
}

obligations contains "revoke-on-stop" if input.policy.credentials.revoke_on_stop == true

obligations contains "stop-on-misuse" if input.policy.credentials.on_misuse == "stop"

obligations contains "no-persist" if input.policy.credentials.no_persist_to_workspace == true
