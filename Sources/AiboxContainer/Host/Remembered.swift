import AiboxCrypto
import AiboxSystem
import AiboxWire
import Glibc

/// What a program said about things that change seldom, kept until one of the files changes on which the answer hangs.
///
/// A start asks `runsc --version` and `podman image inspect` for what was the same at the last start, and each takes
/// as long as ten of our own steps. The files lie in aibox's cache folder, which is its user's alone.
struct Remembered: Sendable {
    let folder: String

    /// Whether a file is still the same one with the same content, as far as the kernel tells; one that is not there
    /// has a stamp too.
    private struct Stamp {
        let path: String
        let words: String
        let changed: Timestamp

        init(_ path: String) {
            self.path = path
            var info = stat()
            guard stat(path, &info) == 0 else {
                words = "absent"
                changed = Timestamp(seconds: 0)
                return
            }
            changed = Timestamp(seconds: Int64(info.st_ctim.tv_sec), nanoseconds: Int32(info.st_ctim.tv_nsec))
            words =
                "\(info.st_dev) \(info.st_ino) \(info.st_size) \(info.st_mtim.tv_sec) \(info.st_mtim.tv_nsec) "
                + "\(info.st_ctim.tv_sec) \(info.st_ctim.tv_nsec)"
        }
    }

    /// The kept answer, if none of the files it hangs on has changed.
    func answer(_ question: String) -> JSONValue? {
        guard let bytes = try? File.read(path(question), limit: 1 << 20), let kept = try? JSONParser.parse(bytes),
            let stamps = kept["stamps"]?.elements, !stamps.isEmpty, kept["question"]?.stringValue == question
        else { return nil }
        for stamp in stamps {
            guard let path = stamp["path"]?.stringValue, Stamp(path).words == stamp["is"]?.stringValue else {
                return nil
            }
        }
        return kept["answer"]
    }

    /// Keeps an answer that was asked for at `asked`. One whose files changed since is not kept, for it may be the
    /// answer of before the change; nor is one that cannot be kept, for then it is asked again.
    func keep(_ answer: JSONValue, to question: String, asked: Timestamp, files: [String]) {
        let stamps = files.map { Stamp($0) }
        // A second, for the clock of a file system lags behind the system's, and some count whole seconds.
        let before = Timestamp(seconds: asked.seconds - 1, nanoseconds: asked.nanoseconds)
        guard stamps.allSatisfy({ $0.changed < before }) else { return }
        let kept: JSONValue = [
            "question": .string(question),
            "stamps": .array(stamps.map { ["path": .string($0.path), "is": .string($0.words)] }),
            "answer": answer,
        ]
        guard (try? Folder.makePrivate(folder)) != nil, let path = try? path(question) else { return }
        try? File.replace(path, with: kept.bytes)
    }

    private func path(_ question: String) throws(AiboxError) -> String {
        folder + "/" + String(try SHA256.digest(question).hex.prefix(32)) + ".json"
    }
}
