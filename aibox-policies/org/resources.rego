# METADATA
# title: How much of the machine a sandbox may take
package aibox.resources

# Each is {rule, reason}. A limit that the policy sets must be set for the sandbox, as tight or tighter.
deny contains { "rule": sprintf("resources.%s", [name]), "reason": sprintf("%s is %v, the policy allows %v", [name, given, limit]) } if {
	some name, limit in input.policy.resources
	given := object.get(input.sandbox, ["resources", name], "unlimited")
	not within(given, limit)
}

within(given, limit) if {
	is_number(given)
	given > 0
	given <= limit
}
