# METADATA
# title: Which hosts may be reached
package aibox.network

import data.aibox.verdict

default decision := {
	"decision": "deny",
	"risk": "blocked-by-default",
	"rule": "network.default",
	"layer": "org",
	"reason": "the host is not on the list",
	"obligations": [],
}

decision := verdict.deny("network.address", "addresses are not reached directly; use the name") if {
	is_address
} else := verdict.first(candidates) if {
	count(candidates) > 0
} else := verdict.deny("network.request", sprintf("%s:%d is on the list, but not for this request", [host, input.request.port])) if {
	count(known) > 0
}

host := trim_suffix(lower(input.request.host), ".")

is_address if regex.match(`^[0-9.]+$`, host)

is_address if contains(host, ":")

candidates contains { "place": verdict.place("allow", 0, rule), "answer": full } if {
	some rule in known
	input.request.port in rule.ports
	restricted(rule, "schemes", input.request.scheme)
	restricted(rule, "methods", upper(object.get(input.request, "method", "")))
	path_fits(rule)
	full := verdict.answer("allow", rule.id, rule.layer, sprintf("%s is on the list as %s", [host, rule.id]))
}

known contains rule if {
	some rule in input.policy.network.allow
	some pattern in rule.hosts
	host_fits(lower(pattern))
}

# `*.example.com` is every name one or more labels below it, and not example.com itself.
host_fits(pattern) if pattern == host

host_fits(pattern) if {
	startswith(pattern, "*.")
	endswith(host, trim_prefix(pattern, "*"))
	count(host) >= count(pattern)
}

# A rule without the field does not restrict.
restricted(rule, field, _) if not rule[field]

restricted(rule, field, value) if value in rule[field]

path_fits(rule) if not rule.paths

path_fits(rule) if {
	not contains(input.request.path, "..")
	some pattern in rule.paths
	glob.match(pattern, ["/"], input.request.path)
}
