import AiboxConfig
import AiboxContainer
import AiboxWire
import ArgumentParser

/// What a shell offers while somebody types. Nothing where nobody answers: a shell has no place for an error.
enum CompletionWords {
    /// For the id of a question: of all sandboxes, or of the one that `--name` says.
    static let approvals = CompletionKind.custom { words, _, _ in
        let paths = Paths.current
        let named = words.firstIndex(of: "--name").flatMap { words.dropFirst($0 + 1).first }
        return RunningGateways.names(paths).filter { name in named.map { $0 == name } ?? true }.sorted()
            .flatMap { name in
                let client = RunningGateways.client(name, paths, timeout: .seconds(1))
                return ((try? client.approvals()) ?? []).map(\.id)
            }.filter(isPlain)
    }

    /// No shell reads anything into it.
    private static func isPlain(_ word: String) -> Bool {
        !word.isEmpty && !word.hasPrefix("-")
            && word.utf8.allSatisfy { byte in
                (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
                    || byte == 0x2D || byte == 0x2E || byte == 0x5F
            }
    }
}
