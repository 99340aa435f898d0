// Bind mounts with changed owners. Reason: open_tree(2), mount_setattr(2) and move_mount(2) have
// no wrapper in the C libraries of the distributions we run on, and the user namespace that
// describes the mapping has to be made by a child between fork and exit.
#pragma once

/// Attaches at `target` a view of `source` in which the files of host user and group `owner` belong
/// to `shown` and those of `shown` to `owner`; nosuid, nodev, private. Needs CAP_SYS_ADMIN.
/// 0, or -errno; `*step` then names the step that failed.
int aibox_mount_with_owner(const char *source, const char *target, unsigned owner, unsigned shown, const char **step);

/// umount2(MNT_DETACH). 0, or -errno.
int aibox_unmount(const char *target);
