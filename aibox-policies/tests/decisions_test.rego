package aibox_test

import data.aibox.decision
import data.aibox.fixture

tool(argv) := answer if answer := decision with input as fixture.ask("tool", {"command": {"argv": argv}})

network(request) := answer if answer := decision with input as fixture.ask("network", {"request": request})

file(path, mode) := answer if answer := decision with input as fixture.ask("file", {"request": {"path": path, "mode": mode}})

credential(wish) := answer if answer := decision with input as fixture.ask("credential", {"credential": wish})

push(change) := answer if answer := decision with input as fixture.ask("push", {"push": change})

llm(request) := answer if answer := decision with input as fixture.ask("llm", {"request": request})

mcp(request) := answer if answer := decision with input as fixture.ask("mcp", {"request": request})

# What was asked

test_unknown_action_is_denied if decision.decision == "deny" with input as fixture.ask("fly", {})

test_empty_input_is_denied if decision.decision == "deny" with input as {}

test_answer_has_all_fields if {
	object.keys(tool(["git", "status"])) == {"decision", "risk", "rule", "layer", "reason", "obligations"}
}

test_question_without_its_part_is_denied[action] := decision.decision == "deny" if {
	some action in ["tool", "network", "file", "credential", "llm", "mcp"]
	decision with input as fixture.ask(action, {})
}

# Tools

test_tool_allowed if tool(["git", "status"]) == {
	"decision": "allow", "risk": "safe", "rule": "t.git", "layer": "org",
	"reason": "git status fits t.git of the org policy", "obligations": [],
}

test_tool_stricter_of_two_rules_counts if {
	tool(["git", "push"]).decision == "review"
	tool(["git", "push"]).rule == "t.push"
}

test_tool_absolute_path_is_the_same_tool if tool(["/usr/local/bin/curl", "x"]).rule == "t.curl"

test_tool_relative_path_is_the_same_tool if tool(["./git", "push"]).decision == "review"

test_tool_rule_with_path_fits_that_path_only if {
	tool(["/usr/bin/python3"]).decision == "allow"
	tool(["/tmp/python3"]).decision == "deny"
}

test_tool_denied_by_rule if tool(["rm", "-rfv", "/"]).rule == "t.rm"

test_tool_blocked_by_default if tool(["curl", "x"]).decision == "deny"

test_tool_shorter_than_rule_does_not_fit if tool(["rm"]).rule == "tools.default"

test_tool_without_rule_is_denied if tool(["nc"]).rule == "tools.default"

test_tool_rule_without_class_is_not_safe if tool(["npm", "run"]).decision == "deny"

test_tool_unknown_class_is_not_safe if tool(["odd"]).decision == "deny"

test_tool_rule_without_allow_denies if tool(["ls"]).decision == "deny"

test_tool_empty_rule_fits_nothing if tool(["true"]).rule == "tools.default"

test_tool_empty_command_is_denied if tool([]).decision == "deny"

test_tool_project_does_not_loosen if {
	tool(["make"]).decision == "review"
	tool(["make"]).layer == "team"
}

test_tool_review_before_wins_over_a_more_specific_one_after if {
	rules := [
		{"id": "before", "layer": "org", "match": ["git"], "allow": true, "risk": "review-required"},
		{"id": "after", "layer": "project", "match": ["git", "push"], "allow": true, "risk": "review-required", "async": true},
	]
	answer := decision with input as {"action": "tool", "policy": {"tools": {"rules": rules}}, "command": {"argv": ["git", "push"]}}
	answer.rule == "before"
	answer.obligations == []
}

test_tool_asynchronous_review if tool(["make"]).obligations == ["review-async"]

test_tool_blocking_review if tool(["git", "push"]).obligations == []

called(names, argv) := answer if answer := decision with input as fixture.ask("tool", {"command": {"argv": argv, "called": names}})

test_tool_options_before_the_command_hide_nothing[argv] := tool(argv).rule == "t.push" if {
	some argv in [
		["git", "-C", "x", "push"], ["git", "-c", "a=b", "push"], ["git", "--no-pager", "push", "-f"],
		["git", "-c", "a=b", "-C", "x", "--bare", "push"], ["git", "--git-dir=x", "--", "push"],
	]
}

test_tool_options_of_a_harmless_command_stay_harmless if tool(["git", "-C", "x", "status", "-s", "push"]).decision == "allow"

test_tool_too_many_options_are_refused if {
	options := [word | some _ in numbers.range(1, 80); word := "-c"]
	tool(array.concat(array.concat(["git"], options), ["push"])).rule == "tools.options"
	tool(array.concat(["git", "status"], options)).decision == "allow"
}

test_tool_every_name_counts if {
	called([["/usr/bin/vcs"], ["/usr/bin/git", "push"]], ["vcs", "origin"]).rule == "tools.default"
	called([["/usr/bin/git"], ["/usr/bin/git", "push"]], ["vcs", "origin"]).rule == "t.push"
	called([["/usr/bin/git"]], ["vcs", "status"]).rule == "t.git"
	called([[]], ["busybox", "curl", "x"]).rule == "t.curl"
	called([], ["git", "status"]).rule == "tools.default"
}

test_tool_options_that_a_rule_spells_out_are_let_through if {
	rules := [{"id": "tests", "layer": "org", "match": ["python3", "-m", "pytest"], "allow": true, "risk": "safe"}]
	answer := decision with input as {"action": "tool", "policy": {"tools": {"rules": rules}}, "command": {"argv": ["python3", "-m", "pytest", "tests"]}}
	answer.rule == "tests"
}

test_tool_reading_that_no_rule_knows_is_refused if {
	rules := [{"id": "status", "layer": "org", "match": ["git", "status"], "allow": true, "risk": "safe"}]
	answer := decision with input as {"action": "tool", "policy": {"tools": {"rules": rules}}, "command": {"argv": ["git", "-C", "status", "fetch"]}}
	answer.rule == "tools.default"
}

# Network

test_network_listed_host if network({"host": "git.example.com", "port": 443, "scheme": "https"}).rule == "git"

test_network_case_and_final_dot if network({"host": "GIT.example.com.", "port": 443, "scheme": "https"}).decision == "allow"

test_network_other_host if network({"host": "evil.example.net", "port": 443, "scheme": "https"}).rule == "network.default"

test_network_other_port if network({"host": "git.example.com", "port": 22, "scheme": "https"}).rule == "network.request"

test_network_name_below_star if network({"host": "a.pkg.example.com", "port": 443, "scheme": "https", "method": "GET", "path": "/simple/x/y"}).decision == "allow"

test_network_star_is_not_the_name_itself if network({"host": "pkg.example.com", "port": 443, "scheme": "https", "method": "GET", "path": "/simple/x"}).decision == "deny"

test_network_star_is_one_label if network({"host": "b.a.pkg.example.com", "port": 443, "scheme": "https", "method": "GET", "path": "/simple/x"}).rule == "network.default"

test_network_named_host_is_not_widened_by_a_star if {
	rules := [
		{"id": "all", "layer": "org", "hosts": ["*.example.com"], "ports": [443]},
		{"id": "api", "layer": "org", "hosts": ["api.example.com"], "ports": [443], "methods": ["GET"]},
	]
	answer := decision with input as {
		"action": "network", "policy": {"network": {"allow": rules}},
		"request": {"host": "api.example.com", "port": 443, "scheme": "https", "method": "POST", "path": "/"},
	}
	answer.rule == "network.request"
}

test_network_star_is_no_suffix_of_letters if network({"host": "evilpkg.example.com", "port": 443, "scheme": "https", "method": "GET", "path": "/simple/x"}).decision == "deny"

test_network_other_method if network({"host": "a.pkg.example.com", "port": 443, "scheme": "https", "method": "POST", "path": "/simple/x"}).rule == "network.request"

test_network_method_as_it_is_written if network({"host": "a.pkg.example.com", "port": 443, "scheme": "https", "method": "get", "path": "/simple/x"}).rule == "network.request"

test_network_folder_itself if network({"host": "a.pkg.example.com", "port": 443, "scheme": "https", "method": "GET", "path": "/simple"}).decision == "allow"

test_network_folder_with_more_letters if network({"host": "a.pkg.example.com", "port": 443, "scheme": "https", "method": "GET", "path": "/simplex"}).decision == "deny"

test_network_tunnel_is_opened_and_its_requests_are_judged if network({"host": "a.pkg.example.com", "port": 443, "scheme": "https"}).rule == "packages"

test_network_request_in_the_clear_without_a_method if {
	answer := decision with input as {
		"action": "network", "request": {"host": "a.example.com", "port": 80, "scheme": "http"},
		"policy": {"network": {"allow": [{"id": "a", "layer": "org", "hosts": ["a.example.com"], "ports": [80]}]}},
	}
	answer.decision == "deny"
}

path_answer(pattern, path) := answer.decision if {
	answer := decision with input as {
		"action": "network", "request": {"host": "a.example.com", "port": 443, "scheme": "https", "method": "GET", "path": path},
		"policy": {"network": {"allow": [{"id": "a", "layer": "org", "hosts": ["a.example.com"], "ports": [443], "paths": [pattern]}]}},
	}
}

test_network_star_in_a_path_is_one_segment if {
	path_answer("/repos/*/pulls", "/repos/x/pulls") == "allow"
	path_answer("/repos/*/pulls", "/repos/x/y/pulls") == "deny"
	path_answer("/repos/*/pulls", "/repos//pulls") == "deny"
	path_answer("/v*.json", "/v.json") == "deny"
}

test_network_path_letters_mean_themselves if {
	path_answer("/a.b+(c)[d]{e}$", "/a.b+(c)[d]{e}$") == "allow"
	path_answer("/a.b", "/axb") == "deny"
}

test_network_everything_below_the_root if path_answer("/**", "/a/b") == "allow"

test_network_other_scheme if network({"host": "a.pkg.example.com", "port": 80, "scheme": "http", "method": "GET", "path": "/simple/x"}).decision == "deny"

test_network_other_path if network({"host": "a.pkg.example.com", "port": 443, "scheme": "https", "method": "GET", "path": "/upload"}).decision == "deny"

test_network_path_upwards if network({"host": "a.pkg.example.com", "port": 443, "scheme": "https", "method": "GET", "path": "/simple/../upload"}).decision == "deny"

test_network_ipv4_address if network({"host": "10.0.0.1", "port": 443, "scheme": "https"}).rule == "network.address"

test_network_ipv6_address if network({"host": "::1", "port": 443, "scheme": "https"}).rule == "network.address"

test_network_missing_port if network({"host": "git.example.com"}).decision == "deny"

# Files

test_file_written_in_workspace if file("/workspace/src/a", "write").decision == "allow"

test_file_written_in_tmp if file("/tmp/a", "write").decision == "allow"

test_file_written_elsewhere if file("/usr/bin/x", "write").rule == "filesystem.default"

test_file_read_elsewhere if file("/usr/bin/x", "read").decision == "allow"

test_file_closed_by_org if file("/etc/shadow", "read").rule == "fs.shadow"

test_file_beside_closed_one if file("/etc/shadow2", "read").decision == "allow"

test_file_closed_by_project if file("/workspace/secrets/key", "read").layer == "project"

test_file_upwards if file("/workspace/../etc/shadow", "read").rule == "filesystem.normal"

test_file_doubled_slash if file("/workspace//a", "write").decision == "deny"

test_file_relative if file("workspace/a", "write").decision == "deny"

test_file_root_is_readable if file("/", "read").decision == "allow"

test_file_protected_from_writing if file("/workspace/.git/hooks/pre-commit", "write").rule == "fs.hooks"

test_file_protected_may_be_read if file("/workspace/.git/hooks/pre-commit", "read").decision == "allow"

test_file_unknown_mode if file("/workspace/a", "execute").decision == "deny"

# Credentials

test_credential_lent if credential({"type": "git_token", "ttl_seconds": 3600}).decision == "allow"

test_credential_obligations if credential({"type": "git_token", "ttl_seconds": 1}).obligations == {"revoke-on-stop", "no-persist"}

test_credential_too_long if credential({"type": "git_token", "ttl_seconds": 14401}).rule == "credentials.ttl"

test_credential_minutes_are_no_way_around if credential({"type": "git_token", "ttl_seconds": "3000m"}).decision == "deny"

test_credential_negative if credential({"type": "git_token", "ttl_seconds": -1}).decision == "deny"

test_credential_without_lifetime if credential({"type": "git_token"}).decision == "deny"

test_credential_unknown if credential({"type": "root_password", "ttl_seconds": 1}).rule == "credentials.default"

test_credential_direct if credential({"type": "git_token", "ttl_seconds": 1, "injection": "direct"}).rule == "credentials.injection"

test_credential_direct_whatever_a_document_says if {
	answer := decision with input as object.union(
		fixture.ask("credential", {"credential": {"type": "git_token", "ttl_seconds": 1, "injection": "direct"}}),
		{"policy": {"credentials": {"injection": "direct"}}},
	)
	answer.rule == "credentials.injection"
}

test_credential_ends_on_misuse if {
	answer := decision with input as object.union(
		fixture.ask("credential", {"credential": {"type": "git_token", "ttl_seconds": 1}}),
		{"policy": {"credentials": {"on_misuse": "stop"}}},
	)
	answer.obligations == {"revoke-on-stop", "no-persist", "stop-on-misuse"}
}

test_credential_for_its_destination if credential({"type": "llm_api_key", "ttl_seconds": 1, "destination": "llm.example.com"}).decision == "allow"

test_credential_for_another_destination if credential({"type": "llm_api_key", "ttl_seconds": 1, "destination": "evil.example.net"}).rule == "credentials.destination"

# Push

test_push_is_reviewed if push({"ref": "refs/heads/main"}).decision == "review"

test_push_of_agent_branch if push({"ref": "refs/heads/agent/x"}).rule == "p.agent"

test_push_force_to_protected if push({"ref": "refs/heads/main", "force": true}).rule == "p.main"

test_push_delete_of_protected if push({"ref": "refs/heads/release/1", "delete": true}).layer == "team"

test_push_wide_rule_does_not_free_protected if push({"ref": "refs/heads/release/1"}).decision == "review"

test_push_without_ref if push({}).rule == "push.request"

test_push_tag if push({"ref": "refs/tags/v1"}).decision == "allow"

test_push_other_ref if push({"ref": "refs/notes/x"}).decision == "deny"

# Models

test_llm_listed if llm({"model": "small-1"}).obligations == {"log-metadata", "redact"}

test_llm_other if llm({"model": "huge-1"}).rule == "llm.default"

# An organisation's list of names lends nobody another account's models.
arn(patterns) := answer if answer := decision with input as object.union(
	fixture.ask("llm", {"request": {"model": "arn:aws:bedrock:eu-west-1:999:small-1"}}),
	{"policy": {"llm": {"models": [{"id": "m", "layer": "org", "model": pattern} | some pattern in patterns]}}},
)

test_llm_arn_by_a_pattern_that_is_none if arn(["*", "*small-1"]).rule == "llm.default"

test_llm_arn_by_a_pattern_that_is_one if arn(["*", "arn:aws:*"]).decision == "allow"

test_llm_budget if llm({"model": "small-1", "tokens_used": 1000}).rule == "llm.budget"

test_llm_rate if llm({"model": "small-1", "requests_this_minute": 10}).rule == "llm.rate"

# MCP

test_mcp_safe if mcp({"server": "files", "tool": "read_file"}).decision == "allow"

test_mcp_review if mcp({"server": "files", "tool": "write_file"}).decision == "review"

test_mcp_blocked if mcp({"server": "files", "tool": "drop_all"}).rule == "files"

test_mcp_unknown_class if mcp({"server": "files", "tool": "odd_one"}).decision == "deny"

test_mcp_unlisted_tool if mcp({"server": "files", "tool": "exec"}).rule == "mcp.default"

test_mcp_unlisted_server if mcp({"server": "other", "tool": "read_file"}).decision == "deny"
