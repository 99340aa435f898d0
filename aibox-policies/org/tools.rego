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

# A rule counts that fits any reading of the command line: none gets past it by being put otherwise.
candidates contains { "place": verdict.place(strictness(rule, outcome), specificity, rule), "answer": full } if {
	some [_, at] in matches
	rule := input.policy.tools.rules[at]
	outcome := outcome_of(rule)
	specificity := count([word | some word in rule.match; not contains(word, "*")])
	full := object.union(
		verdict.answer(outcome, rule.id, rule.layer, sprintf("%s fits %s of the %s policy", [command, rule.id, rule.layer])),
		{"obligations": obligations(rule)},
	)
}

candidates contains unruled("tools.default", "no rule lets this tool run") if {
	count(lines - {argv | some [argv, _] in matches}) > 0
}

# Which rules fit which reading.
matches contains [argv, at] if {
	some argv in readings
	some at, rule in input.policy.tools.rules
	fits(rule.match, argv)
}

candidates contains unruled("tools.options", "more options before its command than can be judged") if {
	some line in lines
	options_end(line) > most_options
}

# Behind every rule that denies.
unruled(rule, reason) := {
	"place": verdict.place("deny", -1, {"layer": "org", "id": rule}),
	"answer": verdict.deny(rule, reason),
}

# A review afterwards is looser than one before, however specific its rule.
strictness(rule, outcome) := "review-async" if {
	outcome == "review"
	rule.async == true
} else := outcome

command := concat(" ", input.command.argv)

# The command line under each name that the program has, as the gate knows them: words in the place of the first one.
lines contains array.concat(name, array.slice(input.command.argv, 1, count(input.command.argv))) if {
	some name in object.get(input.command, "called", [[input.command.argv[0]]])
}

readings contains line if some line in lines

# Options of the program itself come before its command, each maybe with a value: `git -C dir push` is a git push.
readings contains array.concat([line[0]], array.slice(line, at, count(line))) if {
	some line in lines
	startswith(line[1], "-")
	end := min([options_end(line), most_options])
	some at in numbers.range(2, end)
	not startswith(line[at], "-")
}

most_options := 64

# The first word that is neither an option nor can be the value of one.
options_end(line) := min(commands(line) | {count(line)})

commands(line) := {at | some at, word in line; at > 0; not startswith(word, "-"); not is_value(line, at)}

is_value(line, at) if {
	at > 1
	startswith(line[at - 1], "-")
}

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
fits(words, argv) if {
	count(words) > 0
	count(argv) >= count(words)
	every at, word in words {
		word_fits(word, given(at, word, argv))
	}
}

word_fits(word, text) if word == text

word_fits(word, text) if {
	contains(word, "*")
	glob.match(word, null, text)
}

# The program by its name, unless the rule says where it lies: /usr/bin/curl and ./curl are curl.
given(0, word, argv) := name if {
	not contains(word, "/")
	parts := split(argv[0], "/")
	name := parts[count(parts) - 1]
} else := argv[0]

given(at, _, argv) := argv[at] if at > 0
