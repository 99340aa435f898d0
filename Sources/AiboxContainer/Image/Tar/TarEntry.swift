/// One member of a tar archive, without its content.
struct TarEntry: Sendable, Equatable {
    /// Relative, without `./` and without a trailing slash: `usr/bin/git`. Empty for the archive's root.
    var path: String
    var kind: Kind
    /// Permission, setuid, setgid and sticky bits.
    var mode: UInt32
    var uid: Int
    var gid: Int
    /// Bytes of content; 0 unless `kind` is `file`.
    var size: Int
    /// Seconds since 1970.
    var modified: Int
    /// Extended attributes were recorded with it (file capabilities among them).
    var hasAttributes = false

    enum Kind: Sendable, Equatable {
        case file
        case folder
        case symbolicLink(target: String)
        /// Another name of a file earlier in the archive.
        case hardLink(target: String)
        /// Device, FIFO, or a type this reader does not know.
        case special(UInt8)
    }
}

extension TarEntry {
    /// `usr/bin/git` of `./usr/bin/git`, `/usr/bin/git` and `usr/bin/git/`.
    static func normalised(_ path: String) -> String {
        var path = path[...]
        while true {
            if path.hasPrefix("./") {
                path = path.dropFirst(2)
            } else if path.hasPrefix("/") {
                path.removeFirst()
            } else {
                break
            }
        }
        while path.hasSuffix("/") { path.removeLast() }
        return path == "." ? "" : String(path)
    }
}
