# The rules come with the input: the first that fits the command decides.
package bench.rules

default decision := {"allow": false, "risk": "blocked", "why": "no rule fits"}

decision := {"allow": rule.allow, "risk": rule.risk, "why": why} if {
	index := min(fitting)
	rule := input.rules[index]
	why := sprintf("rule %d, %v, fits %v", [index, rule.words, input.command])
}

fitting contains index if {
	some index, rule in input.rules
	count(input.command) >= count(rule.words)
	every at, word in rule.words {
		fits(word, input.command[at])
	}
}

fits("*", _) := true

fits(word, given) if word == given
