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
	request_fits(rule)
	full := verdict.answer("allow", rule.id, rule.layer, sprintf("%s is on the list as %s", [host, rule.id]))
}

# An entry that names the host speaks for it alone; a star counts only where there is none. So does the gateway decide.
known := named if count(named) > 0 else := starred

named contains rule if {
	some rule in input.policy.network.allow
	host in rule.hosts
}

# `*.example.com` is every name exactly one label below it, and not example.com itself.
starred contains rule if {
	some rule in input.policy.network.allow
	star in rule.hosts
}

star := concat("", ["*", substring(host, dot, -1)]) if {
	dot := indexof(host, ".")
	dot > 0
}

# A rule without the field does not restrict.
restricted(rule, field, _) if not rule[field]

restricted(rule, field, value) if value in rule[field]

# What is asked for in a tunnel is judged when it is seen: the tunnel is opened where an entry limits that.
request_fits(_) if {
	input.request.scheme == "https"
	not input.request.method
}

request_fits(rule) if {
	restricted(rule, "methods", input.request.method)
	path_fits(rule)
}

path_fits(rule) if not rule.paths

path_fits(rule) if {
	every segment in split(input.request.path, "/") {
		not segment in {".", ".."}
	}
	some pattern in rule.paths
	regex.match(expression(pattern), input.request.path)
}

# A star is one character or more of a segment; two of them, at the end, are whatever lies below, and the folder itself.
expression(pattern) := concat("", ["^", replace(escaped, "*", "[^/]+"), below, "$"]) if {
	folder := trim_suffix(pattern, "/**")
	escaped := regex.replace(folder, `[^A-Za-z0-9/*]`, `\$0`)
	below := {true: "", false: "(/.*)?"}[folder == pattern]
}
