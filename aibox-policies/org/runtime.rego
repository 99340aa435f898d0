# METADATA
# title: What separates a sandbox from the machine
package aibox.runtime

# Each is {rule, reason}. What the specification does not say counts as not held.
deny contains { "rule": "runtime.engine", "reason": sprintf("%v does not separate the sandbox as the policy asks", [engine]) } if {
	engine := object.get(input.sandbox, ["runtime", "engine"], "no engine")
	not engine in permitted
}

permitted contains input.policy.runtime.engine

permitted contains engine if some engine in input.policy.runtime.fallback

deny contains { "rule": "runtime.rootless", "reason": "the policy asks for a rootless sandbox" } if {
	input.policy.runtime.rootless == true
	not input.sandbox.runtime.rootless == true
}

deny contains { "rule": "runtime.privileged", "reason": "a sandbox is never privileged" } if {
	not input.sandbox.runtime.privileged == false
}

deny contains { "rule": "runtime.no_new_privileges", "reason": "programs could gain privileges" } if {
	not input.sandbox.runtime.no_new_privileges == true
}

deny contains { "rule": "runtime.seccomp", "reason": "no filter of system calls" } if {
	object.get(input.sandbox, ["runtime", "seccomp"], "unconfined") in {"unconfined", ""}
}

deny contains { "rule": "runtime.capabilities", "reason": sprintf("%s must not be added", [capability]) } if {
	some capability in input.sandbox.runtime.capabilities
}

deny contains { "rule": "runtime.read_only", "reason": "the root file system can be written" } if {
	not input.sandbox.runtime.read_only_root == true
}

deny contains { "rule": "runtime.network", "reason": "the sandbox has a way out of its own" } if {
	not input.sandbox.network.isolated == true
}

deny contains { "rule": "runtime.mounts", "reason": sprintf("%s of the host must not be seen inside", [mount.source]) } if {
	some mount in input.sandbox.mounts
	some secret in host_secrets
	exposes(mount.source, secret)
}

host_secrets := {"/etc", "/proc", "/sys", "/dev", "/run", "/var/run", "/root", "/var/lib/containers"}

# A mount shows what it is, what lies below it, and so everything where it is the root.
exposes(source, secret) if source == secret

exposes("/", _) if true

exposes(source, secret) if {
	startswith(source, concat("", [secret, "/"]))
	not startswith(source, "/run/user/")
}
