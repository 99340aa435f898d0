# A policy and a sandbox that the tests start from.
package aibox.fixture

policy := {
	"network": {"allow": [
		{"id": "git", "layer": "org", "hosts": ["git.example.com"], "ports": [443]},
		{"id": "packages", "layer": "team", "hosts": ["*.pkg.example.com"], "ports": [80, 443], "schemes": ["https"], "methods": ["GET", "HEAD"], "paths": ["/simple/**"]},
	]},
	"filesystem": {
		"workspace_root": "/workspace",
		"deny": [
			{"id": "fs.shadow", "layer": "org", "path": "/etc/shadow"},
			{"id": "fs.secrets", "layer": "project", "path": "/workspace/secrets"},
		],
		"protected": [{"id": "fs.hooks", "layer": "org", "path": "/workspace/.git/hooks"}],
	},
	"tools": {"rules": [
		{"id": "t.git", "layer": "org", "match": ["git"], "allow": true, "risk": "safe"},
		{"id": "t.push", "layer": "org", "match": ["git", "push"], "allow": true, "risk": "review-required"},
		{"id": "t.rm", "layer": "org", "match": ["rm", "-rf*"], "allow": false, "risk": "blocked-by-default"},
		{"id": "t.curl", "layer": "org", "match": ["curl"], "allow": true, "risk": "blocked-by-default"},
		{"id": "t.make", "layer": "team", "match": ["make"], "allow": true, "risk": "review-required", "async": true},
		{"id": "t.make2", "layer": "project", "match": ["make"], "allow": true, "risk": "safe"},
		{"id": "t.npm", "layer": "org", "match": ["npm", "run"], "allow": true},
		{"id": "t.odd", "layer": "org", "match": ["odd"], "allow": true, "risk": "harmless"},
		{"id": "t.empty", "layer": "org", "match": [], "allow": true, "risk": "safe"},
		{"id": "t.local", "layer": "org", "match": ["/usr/bin/python3"], "allow": true, "risk": "safe"},
		{"id": "t.noallow", "layer": "org", "match": ["ls"], "risk": "safe"},
	]},
	"credentials": {
		"revoke_on_stop": true,
		"no_persist_to_workspace": true,
		"types": [
			{"id": "c.git", "layer": "org", "type": "git_token", "ttl_seconds": 14400},
			{"id": "c.llm", "layer": "team", "type": "llm_api_key", "ttl_seconds": 28800, "destinations": ["llm.example.com"]},
		],
	},
	"push": {
		"protected": [{"id": "p.main", "layer": "org", "pattern": "main"}, {"id": "p.release", "layer": "team", "pattern": "release/*"}],
		"unreviewed": [{"id": "p.agent", "layer": "org", "pattern": "agent/*"}, {"id": "p.any", "layer": "project", "pattern": "**"}],
	},
	"llm": {
		"models": [{"id": "l.small", "layer": "org", "model": "small-*"}],
		"budget_tokens": 1000, "requests_per_minute": 10, "logging": "metadata", "redact": true,
	},
	"mcp": {"servers": [{"id": "files", "layer": "org", "tools": {"read_*": "safe", "write_*": "review-required", "drop_*": "blocked-by-default", "odd_*": "x"}}]},
	"runtime": {"engine": "gvisor", "fallback": ["kata"], "rootless": true},
	"resources": {"cpus": 4, "memory": 8589934592, "pids": 512},
}

sandbox := {
	"runtime": {
		"engine": "gvisor", "rootless": true, "privileged": false, "no_new_privileges": true, "seccomp": "aibox",
		"capabilities": [], "read_only_root": true, "devices": [], "namespaces": [], "user": 1000,
	},
	"network": {"isolated": true},
	"resources": {"cpus": 2, "memory": 4294967296, "pids": 512},
	"mounts": [
		{"source": "/home/u/project"}, {"source": "/run/aibox/.workspaces/x", "shows": "/srv/project"},
		{"source": "/run/user/1000/aibox/.workspaces/x", "shows": "/root/project"},
	],
}

ask(action, question) := about(action, question, sandbox)

about(action, question, box) := object.union({"action": action, "subject": {"user": "u"}, "sandbox": box, "policy": policy}, question)

# The same with a part of the specification replaced, or (null) removed.
start(path, value) := about("start", {}, json.patch(sandbox, [operation(path, value)]))

operation(path, value) := {"op": "remove", "path": path} if value == null

operation(path, value) := {"op": "add", "path": path, "value": value} if value != null
