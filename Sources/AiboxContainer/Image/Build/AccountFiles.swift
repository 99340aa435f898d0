import AiboxSystem

/// Adds the image's user to the account files (passwd(5), shadow(5), group(5), gshadow(5)).
enum AccountFiles {
    static let paths = ["etc/passwd", "etc/group", "etc/shadow", "etc/gshadow"]

    /// The new content of one of `paths`.
    ///
    /// The password field is `*`: no password fits, yet sshd, which takes `!` for a closed account, lets keys in.
    static func adding(_ user: ImageUser, to path: String, _ content: [UInt8]) throws(AiboxError) -> [UInt8] {
        var text = String(decoding: content, as: UTF8.self)
        if !text.isEmpty, !text.hasSuffix("\n") { text += "\n" }
        for line in text.split(separator: "\n") {
            let fields = line.split(separator: ":", omittingEmptySubsequences: false)
            let hasNumbers = path == "etc/passwd" || path == "etc/group"
            let isTaken = hasNumbers && fields.count > 2 && Int(fields[2]) == user.id
            if fields.first == Substring(user.name) || isTaken {
                throw AiboxError(
                    .failed, "cannot add the user \(user.name) to the image",
                    why: "\(path) already has \"\(fields.first ?? "")\" with that name or number")
            }
        }
        switch path {
        case "etc/passwd": text += "\(user.name):x:\(user.id):\(user.id):aibox:\(user.home):\(user.shell)\n"
        case "etc/group": text += "\(user.name):x:\(user.id):\n"
        case "etc/shadow": text += "\(user.name):*:::::::\n"
        default: text += "\(user.name):*::\n"
        }
        return Array(text.utf8)
    }
}
