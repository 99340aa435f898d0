# METADATA
# title: What an organisation refuses beside the fields of its policy
# description: |
#   Files like this one lie in /etc/aibox/policies. They add refusals to every question that is asked, and can take
#   nothing away (docs/policy.md).
package aibox.org

# Build servers alone run containers without gVisor.
deny contains { "rule": "org.no-crun", "reason": "crun is for build servers" } if {
	input.action == "start"
	input.sandbox.runtime.engine == "crun"
}

# The mirror is read, whichever entry of network.allow lets it through.
deny contains { "rule": "org.mirror", "reason": sprintf("%s is only read", [input.request.host]) } if {
	input.action == "network"
	endswith(input.request.host, ".packages.example.com")
	input.request.method
	not input.request.method in {"GET", "HEAD"}
}

# Long lives of tokens for git belong to people that are on call.
deny contains { "rule": "org.long-token", "reason": "tokens for git are lent for an hour, and longer to people on call" } if {
	input.action == "credential"
	input.credential.type == "git_token"
	input.credential.ttl_seconds > 3600
	not input.subject.user in on_call
}

on_call := {"ann", "ben"}

# Answers that are not streamed cannot be watched while they come.
deny contains { "rule": "org.stream", "reason": "models are asked for streams" } if {
	input.action == "llm"
	input.request.stream == false
}

# What is pushed is never forced. A rule of tools.rules has its words in their order; here they stand anywhere, and the other
# ways to say it count too.
deny contains { "rule": "org.force", "reason": "pushes are not forced" } if {
	input.action == "tool"
	"push" in input.command.argv
	some word in input.command.argv
	regex.match(`^(--force.*|-[a-z]*f[a-z]*|\+.+)$`, word)
}
