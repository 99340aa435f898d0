import AiboxSystem
import CLinux
import Glibc

/// How the workspace comes to belong to user 1000 inside.
///
/// Rootless, keep-id does it. Rootful, 1000 inside is 1000 on the host; a workspace of another owner is
/// shown through an idmapped mount (mount_setattr(2), Linux 5.12), in which owner and 1000 are swapped:
/// nothing on disk changes its owner.
struct WorkspaceMount {
    let workspace: Workspace
    /// Where the changed view is attached when one is needed; outside of every folder that aibox clears.
    let place: String

    init(workspace: Workspace, runtimeRoot: String, name: SandboxName) {
        self.workspace = workspace
        place = runtimeRoot + "/.workspaces/" + name.text
    }

    /// The folder that `attach` will give.
    func source(rootful: Bool) -> String {
        rootful && workspace.owner != SandboxSpec.user ? place : workspace.path
    }

    /// The folder to bind at `/workspace`.
    func attach(rootful: Bool) throws(AiboxError) -> String {
        if source(rootful: rootful) == workspace.path { return workspace.path }
        try detach()
        try Folder.makePrivate(Path.parent(place))
        try Folder.make(place, mode: 0o700)
        var step: UnsafePointer<CChar>?
        let result = aibox_mount_with_owner(workspace.path, place, workspace.owner, SandboxSpec.user, &step)
        if result < 0 {
            rmdir(place)
            throw AiboxError(
                .failed, "cannot show \(workspace.path) to the sandbox's user",
                why: "\(step.map { String(cString: $0) } ?? "mount"): \(describe(errno: abs(result)))",
                remedy: "run aibox as the ordinary user who owns the folder, or move it to ext4, xfs, btrfs or tmpfs")
        }
        return place
    }

    /// Takes the view away again; none is no error.
    func detach() throws(AiboxError) { try Self.detach(place) }

    static func detach(_ place: String) throws(AiboxError) {
        while MountTable.current.isMountPoint(place) {
            let result = aibox_unmount(place)
            if result < 0 { throw .system("cannot unmount \(place)", errno: result) }
        }
        if rmdir(place) != 0, errno != ENOENT { throw .system("cannot remove \(place)", errno: errno) }
    }
}
