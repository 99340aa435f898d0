# METADATA
# title: Which files may be read and written
package aibox.filesystem

import data.aibox.verdict

default decision := {
	"decision": "deny",
	"risk": "blocked-by-default",
	"rule": "filesystem.default",
	"layer": "org",
	"reason": "files are written below the workspace only",
	"obligations": [],
}

decision := verdict.deny("filesystem.normal", "the path is not absolute and normal") if {
	not is_normal
} else := verdict.first(refusals) if {
	count(refusals) > 0
} else := verdict.answer("allow", "filesystem.read", "org", "reading is allowed where nothing denies it") if {
	input.request.mode == "read"
} else := verdict.answer("allow", "filesystem.workspace_root", "org", "the path is in the workspace") if {
	input.request.mode == "write"
	some root in {input.policy.filesystem.workspace_root, "/tmp"}
	below(input.request.path, root)
}

# Nothing is decided about a path that can be read in two ways.
is_normal if {
	startswith(input.request.path, "/")
	parts := split(trim_prefix(input.request.path, "/"), "/")
	every part in parts {
		not part in {"", ".", ".."}
	}
}

is_normal if input.request.path == "/"

refusals contains { "place": verdict.place("deny", count(entry.path), entry), "answer": full } if {
	some entry in input.policy.filesystem.deny
	below(input.request.path, entry.path)
	full := verdict.answer("deny", entry.id, entry.layer, sprintf("%s is closed by the %s policy", [entry.path, entry.layer]))
}

refusals contains { "place": verdict.place("deny", count(entry.path), entry), "answer": full } if {
	input.request.mode != "read"
	some entry in input.policy.filesystem.protected
	below(input.request.path, entry.path)
	full := verdict.answer("deny", entry.id, entry.layer, sprintf("%s may not be changed", [entry.path]))
}

# By whole names: /etc/shadow2 is not below /etc/shadow.
below(path, root) if path == root

below(path, root) if startswith(path, concat("", [trim_suffix(root, "/"), "/"]))
