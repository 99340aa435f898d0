import AiboxNetwork
import AiboxSystem
import CLinux
import Glibc

/// Where the Squids of one gateway keep their files, and as whom they run.
///
/// An ordinary user's run as that user, below the run folder. Root's run as the account that Debian made for Squid, which
/// cannot enter root's private folders: theirs is beside them.
struct SquidFolder: Sendable {
    let path: String
    /// The gateway's.
    let runFolder: String
    /// nil: who the gateway is.
    let account: ChildProcess.Account?

    /// Makes the folder empty and 0700, and clears away what a gateway before left.
    static func make(runFolder: String) throws(AiboxError) -> SquidFolder {
        SquidPlace.clearSharedMemory(runFolder: runFolder)
        if geteuid() != 0 {
            let path = runFolder + "/squid"
            try Folder.removeTree(path)
            try Folder.makePrivate(path)
            return SquidFolder(path: path, runFolder: runFolder, account: nil)
        }
        guard let entry = getpwnam("proxy") else {
            throw AiboxError(
                .layerMissing, "cannot run Squid", why: "this machine has no account named proxy",
                remedy: "apt-get install squid-openssl")
        }
        let account = ChildProcess.Account(user: entry.pointee.pw_uid, group: entry.pointee.pw_gid)
        let path = SquidPlace.rootful(runFolder: runFolder)
        try Folder.make(Path.parent(path))
        // To be passed through by that account, and listed by nobody; the daemon's umask would close it.
        try retrying("cannot open \(Path.parent(path))") { chmod(Path.parent(path), 0o711) }
        try Folder.removeTree(path)
        try Folder.makePrivate(path)
        let folder = SquidFolder(path: path, runFolder: runFolder, account: account)
        try folder.give(path)
        return folder
    }

    /// Writes a file that only Squid and the gateway read.
    func write(_ name: String, _ bytes: [UInt8]) throws(AiboxError) {
        let file = path + "/" + name
        let descriptor = Descriptor(
            try retrying("cannot write \(file)") {
                open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
            })
        try File.writeAll(bytes, to: descriptor, file)
        if let account {
            try retrying("cannot give \(file) to Squid") { fchown(descriptor.number, account.user, account.group) }
        }
    }

    /// Makes a folder for one Squid.
    func makeFolder(_ name: String) throws(AiboxError) -> SquidFolder {
        let folder = SquidFolder(path: path + "/" + name, runFolder: runFolder, account: account)
        try Folder.removeTree(folder.path)
        try Folder.makePrivate(folder.path)
        try give(folder.path)
        return folder
    }

    func remove() throws(AiboxError) { try Folder.removeTree(path) }

    private func give(_ path: String) throws(AiboxError) {
        guard let account else { return }
        try retrying("cannot give \(path) to Squid") { chown(path, account.user, account.group) }
    }
}
