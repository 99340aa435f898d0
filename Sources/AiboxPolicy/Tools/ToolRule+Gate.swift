extension ToolRule {
    /// What a sandbox cannot do without: its first process, and the shell in which every session begins.
    static let beginning: Set = ["sshd", "sshd-session", "sshd-auth", "sftp-server", "bash", "sh", "dash"]

    /// Whether it lets run whatever is asked about. By that it names no program: what nobody asks about runs anyway.
    var isForAll: Bool { outcome == .allow && words.first?.allSatisfy { $0 == "*" } == true }

    /// Whether it lets a program run whatever its words are.
    private var isPlain: Bool { outcome == .allow && words.count == 1 }

    private var isPattern: Bool { words.first?.contains("*") == true }

    /// The rules that name a program by one of its names.
    static func naming(_ rules: [ToolRule], _ names: [String]) -> [ToolRule] {
        rules.filter { rule in !rule.isForAll && names.contains { rule.names($0) } }
    }

    /// Whether the gate stands in the place of a program: a rule names it. With two exceptions where the rules only let it run,
    /// so that nothing of it could be refused: what every session begins with, and what patterns alone name, which can be
    /// every program of an image.
    ///
    /// - Parameter names: those of one file.
    static func hold(_ rules: [ToolRule], _ names: [String]) -> Bool {
        let naming = naming(rules, names)
        if !naming.allSatisfy(\.isPlain) { return true }
        return naming.contains { !$0.isPattern } && !names.contains(where: isBeginning)
    }

    static func isBeginning(_ program: String) -> Bool { beginning.contains(name(of: program)) }

    /// The first rule for which the gate would have to stand in the place of what every session begins with.
    static func first(_ rules: [ToolRule], holding names: [String]) -> ToolRule? {
        naming(rules, names).first { !$0.isPlain }
    }

    /// What becomes of rules that name what every session begins with.
    static func beginningNotes(_ rules: [ToolRule]) -> [String] {
        var notes: [(rule: ToolRule, isRefused: Bool, programs: [String])] = []
        for program in beginning.sorted() {
            let refusing = first(rules, holding: [program])
            guard let rule = refusing ?? naming(rules, [program]).first else { continue }
            if let place = notes.firstIndex(where: { $0.rule.id == rule.id && $0.isRefused == (refusing != nil) }) {
                notes[place].programs.append(program)
            } else {
                notes.append((rule, refusing != nil, [program]))
            }
        }
        return notes.map { note in
            let programs = note.programs.joined(separator: ", ")
            return note.isRefused
                ? "with the rule \(note.rule.id) no sandbox starts whose image has \(programs): every session begins with it, "
                    + "and the gate for tools cannot stand there (\(note.rule.origin))"
                : "nobody is asked about \(programs): every session begins with it, and the rule \(note.rule.id) only lets it run "
                    + "(\(note.rule.origin))"
        }
    }
}
