/// One call of an OCI runtime, as containerd's shim makes it: `--root R --log L create --bundle B ID`.
struct RuntimeCall: Equatable {
    var command: String
    /// The container's id: 64 hexadecimal digits.
    var id: String
    /// With `create`: the folder that holds `config.json`.
    var bundle: String?

    /// What a container's life needs. Not `exec`: under gVisor what it starts has no seccomp filter, and everything that
    /// aibox does inside goes over SSH.
    static let commands: Set = ["create", "start", "state", "kill", "delete", "ps", "pause", "resume"]

    private static let optionsWithValue: Set = ["--root", "--log", "--log-format", "--criu", "--rootless"]

    /// Nil for a call that is none of those.
    init?(_ words: [String]) {
        var index = 0
        while index < words.count, words[index].hasPrefix("-") {
            index += Self.optionsWithValue.contains(words[index]) ? 2 : 1
        }
        guard index < words.count, Self.commands.contains(words[index]) else { return nil }
        command = words[index]
        let rest = words[(index + 1)...]
        let ids = Set(rest.filter(Self.isID))
        guard ids.count == 1, let id = ids.first else { return nil }
        self.id = id
        for option in ["--bundle", "-b"] {
            if let place = rest.firstIndex(of: option), place + 1 < rest.endIndex { bundle = rest[place + 1] }
            for word in rest where word.hasPrefix(option + "=") { bundle = String(word.dropFirst(option.count + 1)) }
        }
        if command == "create", bundle?.hasPrefix("/") != true { return nil }
    }

    static func isID(_ word: String) -> Bool {
        word.utf8.count == 64
            && word.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
    }

    /// The file into which the shim looks for the reason of a failure.
    static func log(_ words: [String]) -> String? {
        guard let place = words.firstIndex(of: "--log"), place + 1 < words.count else { return nil }
        return words[place + 1]
    }
}
