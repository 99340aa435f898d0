import AiboxSystem
import Glibc

/// The user namespace in which rootless podman runs every container of a user.
enum PodmanUserNamespace {
    /// The process that keeps it alive (podman's pause process). Asks podman to make it if there is none.
    static func pausePid(_ runner: any CommandRunner = SystemCommandRunner()) throws(AiboxError) -> Int32 {
        if let pid = livingPausePid() { return pid }
        try runner.require(
            Command("podman", ["unshare", "true"]), "cannot make podman's user namespace",
            remedy: "podman unshare true shows the reason; aibox doctor names the fix")
        if let pid = livingPausePid() { return pid }
        throw AiboxError(
            .failed, "cannot find podman's user namespace",
            why: "none of \(pidFiles().joined(separator: ", ")) names a running process of this user's",
            remedy: "set XDG_RUNTIME_DIR to a private folder, then run podman unshare true")
    }

    /// The places podman itself looks at (its rootless run-time folder), likeliest first.
    static func pidFiles() -> [String] {
        let uid = geteuid()
        var folders = ["/run/user/\(uid)", "/tmp/podman-run-\(uid)", "/tmp/run-\(uid)"]
        if let folder = Environment.value("XDG_RUNTIME_DIR"), folder.hasPrefix("/") { folders = [folder] + folders }
        return folders.map { $0 + "/libpod/tmp/pause.pid" }
    }

    private static func livingPausePid() -> Int32? {
        for file in pidFiles() {
            var status = stat()
            // A file that somebody else could write would let him choose the namespace.
            guard lstat(file, &status) == 0, status.st_uid == geteuid(), status.st_mode & S_IFMT == S_IFREG,
                let text = try? File.text(file, limit: 64), let pid = Int32(text.filter { !$0.isWhitespace }), pid > 1,
                isOtherUserNamespace(pid)
            else { continue }
            return pid
        }
        return nil
    }

    /// True if the process lives and is in a user namespace that is not ours: a reused id most likely is not.
    private static func isOtherUserNamespace(_ pid: Int32) -> Bool {
        guard let theirs = Path.linkTarget("/proc/\(pid)/ns/user"), let ours = Path.linkTarget("/proc/self/ns/user")
        else { return false }
        return theirs != ours
    }
}

extension Path {
    /// What a symbolic link says, unresolved.
    static func linkTarget(_ path: String) -> String? {
        var room = [CChar](repeating: 0, count: 256)
        let count = readlink(path, &room, room.count)
        return count < 0 ? nil : String(decoding: room.prefix(count).map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}
