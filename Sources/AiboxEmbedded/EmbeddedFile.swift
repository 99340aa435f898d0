import CEmbedded

/// The files of the repository that are part of the program, so that one file is a whole installation.
///
/// To embed another one: put it under `configs`, `aibox-policies/org` or `aibox-images` and give it its two places in
/// `Sources/CEmbedded/embedded.c`. The tests compare every embedded file with the one in the repository.
public enum EmbeddedFile {
    /// The bytes of a file by its path in the repository (`configs/templates/minimal.yaml`); nil if it is not embedded.
    public static func bytes(_ path: String) -> [UInt8]? {
        var length = 0
        guard let start = aibox_embedded_file(path, &length) else { return nil }
        return Array(UnsafeBufferPointer(start: start, count: length))
    }

    /// The text of a file; see `bytes`.
    public static func text(_ path: String) -> String? {
        bytes(path).map { String(decoding: $0, as: UTF8.self) }
    }

    /// Every embedded path, sorted.
    public static var paths: [String] {
        var paths: [String] = []
        while let path = aibox_embedded_path(paths.count) { paths.append(String(cString: path)) }
        return paths.sorted()
    }
}
