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

# Where the kernel's own separation is enough, so is more of it.
permitted contains engine if {
	input.policy.runtime.engine == "crun"
	some engine in ["gvisor", "kata"]
}

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

deny contains { "rule": "runtime.devices", "reason": sprintf("the device %s must not be handed in", [device]) } if {
	some device in input.sandbox.runtime.devices
}

deny contains { "rule": "runtime.namespaces", "reason": sprintf("%s must not be shared with the host", [namespace]) } if {
	some namespace in input.sandbox.runtime.namespaces
}

deny contains { "rule": sprintf("runtime.%s", [name]), "reason": sprintf("the specification does not list its %s", [name]) } if {
	some name in ["capabilities", "devices", "namespaces"]
	not is_array(object.get(input.sandbox, ["runtime", name], null))
}

deny contains { "rule": "runtime.user", "reason": "programs inside must not be root" } if {
	not is_ordinary
}

is_ordinary if {
	is_number(input.sandbox.runtime.user)
	input.sandbox.runtime.user > 0
}

deny contains { "rule": "runtime.read_only", "reason": "the root file system can be written" } if {
	not input.sandbox.runtime.read_only_root == true
}

deny contains { "rule": "runtime.network", "reason": "the sandbox has a way out of its own" } if {
	not input.sandbox.network.isolated == true
}
