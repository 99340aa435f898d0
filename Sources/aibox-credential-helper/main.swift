// git's credential helper on the host: answers for what `aibox auth` keeps, and for nothing else.
//
//     git config --global credential.helper aibox
//
// git starts it at every fetch, for every host, with `get`, `store` or `erase` as the last argument. Most questions are not
// for it: those end here, in a millisecond. The others go to aibox, which alone opens secrets.
import AiboxWire
import Glibc

/// Everything on standard input; nil if there is more than any git sends.
func question() -> [UInt8]? {
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 4096)
    while true {
        let count = read(STDIN_FILENO, &chunk, chunk.count)
        if count < 0, errno == EINTR { continue }
        if count <= 0 { return bytes }
        bytes += chunk.prefix(count)
        if bytes.count > GitCredentialRequest.limit { return nil }
    }
}

/// The aibox that was installed or built with this program. Never one from `PATH`: a workspace may be in it.
func aibox() -> String? {
    guard let own = realpath("/proc/self/exe", nil) else { return nil }
    defer { free(own) }
    let path = String(cString: own)
    guard let slash = path.lastIndex(of: "/") else { return nil }
    let folder = path[..<slash]
    return ["/aibox", "/../bin/aibox", "/../../bin/aibox"].map { String(folder) + $0 }.first { access($0, X_OK) == 0 }
}

/// Becomes aibox with the question on its standard input.
func ask(_ path: String, _ bytes: [UInt8]) -> Never {
    var ends: [Int32] = [-1, -1]
    // The question fits into the pipe (64 KiB, pipe(7)), so nobody has to read meanwhile.
    guard pipe(&ends) == 0, write(ends[1], bytes, bytes.count) == bytes.count, dup2(ends[0], STDIN_FILENO) == 0 else {
        exit(1)
    }
    close(ends[0])
    close(ends[1])
    let words = [path, "auth", "git-get"]
    var arguments = words.map { strdup($0) } + [nil]
    execv(path, &arguments)
    exit(1)
}

guard CommandLine.arguments.last == "get" else {
    // Credentials are kept with aibox auth, not by git: store and erase are a quiet no.
    _ = question()
    exit(0)
}
guard let bytes = question(), let request = GitCredentialRequest(bytes), request.isPlausible else { exit(0) }
guard let path = aibox() else {
    let words = "aibox-credential-helper: there is no aibox beside it\n"
    write(STDERR_FILENO, words, words.utf8.count)
    exit(1)
}
ask(path, bytes)
