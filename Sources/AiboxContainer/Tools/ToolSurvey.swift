import AiboxPolicy

/// The executable files of an image with all their names, from a listing of `find`.
struct ToolSurvey: Sendable {
    let files: [ToolFile]

    /// Arguments of find(1): files that can be executed as `f`, device and inode, path; links as `l`, path, target.
    static let search = [
        "/", "-xdev", "(", "-type", "f", "-perm", "/111", "-printf", "f\\0%D:%i\\0%p\\0", ")", "-o", "(", "-type", "l",
        "-printf", "l\\0%p\\0%l\\0", ")",
    ]

    /// - Parameter named: absolute paths that are looked for besides, through links to folders.
    init(_ listing: [UInt8], named: [String]) {
        let words = listing.split(separator: 0, omittingEmptySubsequences: false).map {
            String(decoding: $0, as: UTF8.self)
        }
        var places: [String: Int] = [:]
        var inodes: [String: Int] = [:]
        var files: [ToolFile] = []
        var links: [String: String] = [:]
        for start in stride(from: 0, to: words.count - 2, by: 3) {
            if words[start] == "l" {
                links[words[start + 1]] = words[start + 2]
                continue
            }
            let path = words[start + 2]
            if let place = inodes[words[start + 1]] {
                files[place].paths.append(path)
                files[place].aliases.append(path)
                places[path] = place
            } else {
                inodes[words[start + 1]] = files.count
                places[path] = files.count
                files.append(ToolFile(paths: [path], aliases: [path]))
            }
        }
        for path in links.keys.sorted() + named where places[path] == nil {
            if let place = Self.resolve(path, links).flatMap({ places[$0] }), !files[place].aliases.contains(path) {
                files[place].aliases.append(path)
            }
        }
        self.files = files
    }

    /// Where a path leads; nil for a circle.
    private static func resolve(_ path: String, _ links: [String: String]) -> String? {
        var done: [Substring] = []
        var left = Array(path.split(separator: "/").reversed())
        // As many as Linux follows (path_resolution(7)).
        var hops = 40
        while let part = left.popLast() {
            if part == "." { continue }
            if part == ".." {
                _ = done.popLast()
                continue
            }
            guard let target = links["/" + (done + [part]).joined(separator: "/")] else {
                done.append(part)
                continue
            }
            hops -= 1
            if hops == 0 { return nil }
            if target.hasPrefix("/") { done = [] }
            left += target.split(separator: "/").reversed()
        }
        return "/" + done.joined(separator: "/")
    }
}
