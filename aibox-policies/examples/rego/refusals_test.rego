package aibox.org_test

import data.aibox.org.deny

rules(question) := {refusal.rule | some refusal in refusals(question)}

refusals(question) := answer if answer := deny with input as question

test_crun_is_for_build_servers if {
	rules({"action": "start", "sandbox": {"runtime": {"engine": "crun"}}}) == {"org.no-crun"}
	rules({"action": "start", "sandbox": {"runtime": {"engine": "gvisor"}}}) == set()
}

test_mirror_is_only_read[method] := rules(request) == wanted if {
	some method, wanted in {"GET": set(), "HEAD": set(), "PUT": {"org.mirror"}, "POST": {"org.mirror"}}
	request := {"action": "network", "request": {"host": "npm.packages.example.com", "method": method}}
}

test_tunnel_to_the_mirror_is_not_judged_by_a_method if {
	rules({"action": "network", "request": {"host": "npm.packages.example.com"}}) == set()
}

test_other_hosts_are_written_to if {
	rules({"action": "network", "request": {"host": "git.example.com", "method": "POST"}}) == set()
}

test_long_tokens_are_for_people_on_call if {
	credential := {"type": "git_token", "ttl_seconds": 7200}
	rules({"action": "credential", "subject": {"user": "eve"}, "credential": credential}) == {"org.long-token"}
	rules({"action": "credential", "subject": {"user": "ann"}, "credential": credential}) == set()
}

test_models_are_asked_for_streams if {
	rules({"action": "llm", "request": {"stream": false}}) == {"org.stream"}
	rules({"action": "llm", "request": {"stream": true}}) == set()
}

test_pushes_are_not_forced if {
	every forced in ["--force", "--force-with-lease=main", "-f", "-uf", "+main"] {
		rules({"action": "tool", "command": {"argv": ["git", "push", "origin", forced]}}) == {"org.force"}
	}
	rules({"action": "tool", "command": {"argv": ["git", "push", "--follow-tags", "origin", "main"]}}) == set()
	rules({"action": "tool", "command": {"argv": ["git", "clean", "-f"]}}) == set()
}
