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

test_mount_of_root if start("/mounts/-", {"source": "/"}).rule == "runtime.mounts"

test_mount_of_host_configuration if start("/mounts/-", {"source": "/etc"}).rule == "runtime.mounts"

test_mount_below_host_state if start("/mounts/-", {"source": "/var/lib/containers/x"}).rule == "runtime.mounts"

test_mount_of_container_socket if start("/mounts/-", {"source": "/run/podman/podman.sock"}).rule == "runtime.mounts"

test_too_much_memory if start("/resources/memory_bytes", 17179869184).rule == "resources.memory_bytes"

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
