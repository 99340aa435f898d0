# A gate as it is in use: three layers of rules for tools, hosts, paths and credentials, the strictest of which holds.
package bench.gate

layers := ["org", "team", "project"]

severity := {"free": 0, "watched": 1, "blocked": 2}

risks contains rule.risk if {
	some layer in layers
	some rule in data.layers[layer].tools
	begins(input.argv, rule.words)
}

begins(argv, words) if {
	count(argv) >= count(words)
	every at, word in words {
		fits(word, argv[at])
	}
}

fits(word, given) if word == given

fits(word, given) if {
	contains(word, "*")
	glob.match(word, null, given)
}

default risk := "blocked"

risk := name if {
	worst := max({severity[r] | some r in risks})
	some name, level in severity
	level == worst
}

problem contains "no rule lets this tool run" if risk == "blocked"

problem contains sprintf("%s:%d is out of reach", [input.host, input.port]) if {
	input.host
	not reachable
}

reachable if {
	some entry in data.layers.org.hosts
	some pattern in entry.names
	glob.match(pattern, ["."], lower(input.host))
	input.port in entry.ports
	not unreachable
}

unreachable if {
	some layer in layers
	some pattern in data.layers[layer].closed_hosts
	glob.match(pattern, ["."], lower(input.host))
}

problem contains sprintf("%s is closed for %s", [input.path, input.mode]) if {
	input.path
	not open
}

open if {
	not closed
	some root in data.layers.org.writable
	below(input.path, root)
}

open if {
	not closed
	input.mode == "read"
}

closed if {
	some layer in layers
	some root in data.layers[layer].closed_paths
	below(input.path, root)
}

closed if contains(input.path, "/../")

below(path, root) if path == root

below(path, root) if startswith(path, sprintf("%s/", [root]))

problem contains sprintf("%s would live %v hours, %v are allowed", [name, hours, longest]) if {
	some name, lifetime in input.lifetimes
	hours := to_number(trim_suffix(lifetime, "h"))
	longest := min({limit | some layer in layers; limit := data.layers[layer].hours[name]})
	hours > longest
}

decision := {"effect": "deny", "risk": risk, "problems": sort(problem)} if {
	count(problem) > 0
} else := {"effect": "review", "risk": risk, "problems": []} if {
	risk == "watched"
	not input.approved
} else := {"effect": "allow", "risk": risk, "problems": []}
