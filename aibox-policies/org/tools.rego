# METADATA
# title: Which tools may run
package aibox.tools

import data.aibox.verdict

default decision := {
	"decision": "deny",
	"risk": "blocked-by-default",
	"rule": "tools.default",
	"layer": "org",
	"reason": "no rule lets this tool run",
	"obligations": [],
}

decision := verdict.first(candidates) if count(candidates) > 0

candidates contains { "place": verdict.place(strictness(rule, outcome), specificity, rule), "answer": full } if {
	some rule in input.policy.tools.rules
	fits(rule.match)
	outcome := outcome_of(rule)
	specificity := count([word | some word in rule.match; not contains(word, "*")])
	full := object.union(
		verdict.answer(outcome, rule.id, rule.layer, sprintf("%s fits %s of the %s policy", [command, rule.id, rule.layer])),
		{"obligations": obligations(rule)},
	)
}

# A review afterwards is looser than one before, however specific its rule.
strictness(rule, outcome) := "review-async" if {
	outcome == "review"
	rule.async == true
} else := outcome

command := concat(" ", input.command.argv)

# `allow: false` and the class blocked-by-default deny; a rule without a class is not safe.
outcome_of(rule) := "deny" if {
	not rule.allow == true
} else := "deny" if {
	object.get(rule, "risk", "blocked-by-default") == "blocked-by-default"
} else := "review" if {
	rule.risk == "review-required"
} else := "allow" if {
	rule.risk == "safe"
} else := "deny"

# Asynchronous review lets the tool go on while the request is open.
obligations(rule) := ["review-async"] if {
	outcome_of(rule) == "review"
	rule.async == true
} else := []

# The words of a rule are the beginning of the command line. No words fit nothing.
fits(words) if {
	count(words) > 0
	count(input.command.argv) >= count(words)
	every at, word in words {
		word_fits(word, given(at, word))
	}
}

word_fits(word, text) if word == text

word_fits(word, text) if {
	contains(word, "*")
	glob.match(word, null, text)
}

# The program by its name, unless the rule says where it lies: /usr/bin/curl and ./curl are curl.
given(0, word) := name if {
	not contains(word, "/")
	parts := split(input.command.argv[0], "/")
	name := parts[count(parts) - 1]
} else := input.command.argv[0]

given(at, _) := input.command.argv[at] if at > 0
