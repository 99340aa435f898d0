import AiboxSystem
import CLinux
import Glibc

/// The files that a process may touch, as Landlock enforces it.
struct FileAccess: Sendable {
    /// Folders with all below them, or files.
    var readable: [String] = []
    var writable: [String] = []
    var programs: [String] = []
    /// Below these empty folders may be removed.
    var removable: [String] = []

    /// Confines this thread and what it starts from now on.
    ///
    /// - Returns: the kernel's version of Landlock; 0 where it has none, and nothing is confined.
    func enforce() throws(AiboxError) -> Int {
        let version = aibox_landlock_version()
        if version == 0 { return 0 }
        let lists: [([String], Int32)] = [
            (readable, AIBOX_FILES_READ), (writable, AIBOX_FILES_READ | AIBOX_FILES_WRITE),
            (programs, AIBOX_FILES_READ | AIBOX_FILES_EXECUTE), (removable, AIBOX_FILES_REMOVE_EMPTY),
        ]
        var rules = lists.flatMap { paths, access in paths.map { aibox_files(path: strdup($0), access: access) } }
        defer { for rule in rules { free(UnsafeMutableRawPointer(mutating: rule.path)) } }
        try check(
            rules.withUnsafeMutableBufferPointer { aibox_landlock_confine($0.baseAddress, Int32($0.count)) },
            "cannot confine the gateway to its files")
        return Int(version)
    }
}
