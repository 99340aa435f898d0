# Lookups: classes of tools as sets, hosts by glob, paths by prefix, lifetimes of credentials.
package bench.small

default verdict := {"effect": "deny", "class": "unknown"}

verdict := {"effect": effect, "class": class} if class != "unknown"

default class := "unknown"

class := name if {
	some name, members in data.classes
	input.tool in members
}

effect := "deny" if {
	count(problem) > 0
} else := "review" if {
	class == "watched"
	not input.approved
} else := "allow"

problem contains sprintf("%s is not a host of ours", [input.host]) if {
	input.host
	every pattern in data.hosts {
		not glob.match(pattern, ["."], input.host)
	}
}

problem contains sprintf("%s lies below %s", [input.path, root]) if {
	some root in data.closed
	startswith(input.path, root)
}

problem contains sprintf("%s lives for %d hours", [name, hours]) if {
	some name, lifetime in input.lifetimes
	hours := to_number(trim_suffix(lifetime, "h"))
	hours > data.longest[name]
}
