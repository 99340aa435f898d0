package aibox_admission_test

import data.aibox.decision
import data.aibox.fixture

start(path, value) := answer if answer := decision with input as fixture.start(path, value)

test_start_allowed if decision.decision == "allow" with input as fixture.ask("start", {})

test_other_engine if start("/runtime/engine", "crun").rule == "runtime.engine"

test_permitted_fallback if start("/runtime/engine", "kata").decision == "allow"

test_missing_engine if start("/runtime/engine", null).rule == "runtime.engine"

test_rootful if start("/runtime/rootless", false).rule == "runtime.rootless"

test_missing_rootless if start("/runtime/rootless", null).decision == "deny"

test_privileged if start("/runtime/privileged", true).rule == "runtime.privileged"

test_missing_privileged if start("/runtime/privileged", null).decision == "deny"

test_new_privileges if start("/runtime/no_new_privileges", false).rule == "runtime.no_new_privileges"

test_no_seccomp if start("/runtime/seccomp", "unconfined").rule == "runtime.seccomp"

test_missing_seccomp if start("/runtime/seccomp", null).rule == "runtime.seccomp"

test_capability if start("/runtime/capabilities", ["SYS_ADMIN"]).rule == "runtime.capabilities"

test_writable_root if start("/runtime/read_only_root", false).rule == "runtime.read_only"

test_way_out if start("/network/isolated", false).rule == "runtime.network"

test_missing_network if start("/network", null).decision == "deny"

test_root_inside if start("/runtime/user", 0).rule == "runtime.user"

test_missing_user if start("/runtime/user", null).rule == "runtime.user"

test_device if start("/runtime/devices/-", "/dev/kvm").rule == "runtime.devices"

test_shared_namespace if start("/runtime/namespaces/-", "pid").rule == "runtime.namespaces"

test_missing_lists[name] := start(sprintf("/runtime/%s", [name]), null).rule == sprintf("runtime.%s", [name]) if {
	some name in ["capabilities", "devices", "namespaces"]
}

test_user_by_name if start("/runtime/user", "dev").rule == "runtime.user"

test_more_separation_than_asked_for[engine] := answer.decision == "allow" if {
	some engine in ["gvisor", "kata", "crun"]
	answer := decision with input as object.union(
		fixture.about("start", {}, object.union(fixture.sandbox, {"runtime": {"engine": engine}})),
		{"policy": {"runtime": {"engine": "crun", "fallback": []}}},
	)
}

# What may not be mounted, whether it is the folder itself or a view of it.
closed := [
	"/", "/etc", "/etc/x", "/run/podman", "/run/aibox/x", "/run/aibox/.workspaces", "/run/user/1000/podman", "/var", "/var/lib/containers/x",
	"/dev/shm", "/root", "/home", "/boot/x",
]

test_mount_of_the_host[folder] := start("/mounts/-", {"source": folder}).rule == "mounts.host" if some folder in closed

test_view_of_the_host[folder] := answer.rule == "mounts.host" if {
	some folder in closed
	answer := start("/mounts/-", {"source": "/run/aibox/.workspaces/x", "shows": folder})
}

test_view_that_does_not_say_of_what if start("/mounts/-", {"source": "/run/aibox/.workspaces/x"}).rule == "mounts.host"

test_mount_of_keys if start("/mounts/-", {"source": "/home/u/.ssh/x"}).rule == "mounts.keys"

test_mount_of_a_project[folder] := start("/mounts/-", {"source": folder}).decision == "allow" if {
	some folder in ["/root/project", "/home/u/project", "/srv/x", "/etcetera", "/tmp/x", "/var/tmp/x", "/home/u/.sshx"]
}

test_mount_of_nothing if start("/mounts/-", {"target": "/x"}).rule == "mounts.unknown"

test_no_mounts_named if start("/mounts", null).rule == "mounts.unknown"

test_too_much_memory if start("/resources/memory", 17179869184).rule == "resources.memory"

test_no_limit_of_processes if start("/resources/pids", null).rule == "resources.pids"

test_zero_is_no_limit if start("/resources/cpus", 0).rule == "resources.cpus"

test_text_is_no_limit if start("/resources/cpus", "2").decision == "deny"

test_all_violations_at_once if {
	answer := decision with input as fixture.about("start", {}, {"runtime": {"privileged": true, "seccomp": ""}})
	contains(answer.reason, "never privileged")
	contains(answer.reason, "no filter of system calls")
}

test_policy_without_a_section[section] := decision.decision == "deny" if {
	some section in ["credentials", "filesystem", "network", "resources", "runtime", "tools"]
	decision with input as object.union(fixture.ask("start", {}), {"policy": {section: null}})
}

# The organisation's own

own(refusals) := answer if answer := decision with input as fixture.ask("start", {}) with data.aibox.org.deny as refusals

test_own_refusal if own({{"rule": "night", "reason": "not at night"}}) == {
	"decision": "deny", "risk": "blocked-by-default", "rule": "night", "layer": "org", "reason": "not at night", "obligations": [],
}

test_own_refusals_sorted if own({{"rule": "b", "reason": "1"}, {"rule": "a", "reason": "2"}}).rule == "a"

test_own_refusal_comes_first if {
	decision.rule == "own" with input as {} with data.aibox.org.deny as {{"rule": "own", "reason": "x"}}
}

test_own_that_refuse_nothing if own(set()).decision == "allow"

test_own_entry_without_words if own({{}}).rule == "aibox.org"

test_own_entry_that_is_no_object if own({"not today"}).reason == "not today"

test_own_that_are_no_set[index] := own(value).decision == "deny" if {
	some index, value in [true, false, "x", 1, [], {}, null]
}
