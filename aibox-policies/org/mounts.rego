# METADATA
# title: What of the host a sandbox may see
package aibox.mounts

# Each is {rule, reason}. A mount is {source, shows, target}: the folder that is mounted, and the one that it is a view
# of, where it is a view.
deny contains { "rule": "mounts.host", "reason": sprintf("%s of the host must not be seen inside", [folder]) } if {
	some folder in shown
	some secret in host_secrets
	shares(folder, secret)
}

deny contains { "rule": "mounts.host", "reason": sprintf("%s of the host must not be seen inside", [folder]) } if {
	some folder in shown
	some home in homes
	holds(folder, home)
}

deny contains { "rule": "mounts.keys", "reason": sprintf("%s is a folder of keys", [folder]) } if {
	some folder in shown
	some name in split(folder, "/")
	name in key_folders
}

deny contains { "rule": "mounts.unknown", "reason": "a mount does not say what it shows" } if {
	some mount in input.sandbox.mounts
	not startswith(object.get(mount, "source", ""), "/")
}

deny contains { "rule": "mounts.unknown", "reason": "the specification does not say what is mounted" } if {
	not is_array(object.get(input.sandbox, "mounts", null))
}

host_secrets := {"/etc", "/proc", "/sys", "/dev", "/run", "/var/run", "/var/lib/containers", "/boot"}

homes := {"/root", "/home"}

key_folders := {".ssh", ".gnupg", ".aws", ".azure", ".kube", ".docker", ".password-store"}

shown contains mount.shows if some mount in input.sandbox.mounts

# A view that aibox made of a workspace is no part of the host: what it shows counts.
shown contains mount.source if {
	some mount in input.sandbox.mounts
	not is_view(mount)
}

is_view(mount) if {
	startswith(mount.shows, "/")
	regex.match(`^/run/(user/[0-9]+/)?aibox/\.workspaces/[^/]+$`, mount.source)
}

# A mount shows what it is, what lies below it, and what it lies below.
shares(folder, secret) if holds(folder, secret)

shares(folder, secret) if startswith(folder, concat("", [secret, "/"]))

holds(folder, secret) if folder == secret

holds(folder, secret) if startswith(secret, concat("", [trim_suffix(folder, "/"), "/"]))
