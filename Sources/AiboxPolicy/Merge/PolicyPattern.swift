/// A text in which `*` stands for anything. Where the text is a path, `*` stays within one part and `**` does not.
struct PolicyPattern: Sendable, Hashable {
    fileprivate enum Token: Hashable {
        case character(UInt8)
        /// Anything within a part, also nothing.
        case part
        /// Anything, also nothing.
        case everything
    }

    let text: String
    private let tokens: [Token]

    init(_ text: String, paths: Bool = false) {
        self.text = text
        var tokens: [Token] = []
        var isAfterAsterisk = false
        for byte in text.utf8 {
            let isAsterisk = byte == UInt8(ascii: "*")
            if !isAsterisk {
                tokens.append(.character(byte))
            } else if isAfterAsterisk {
                tokens[tokens.count - 1] = .everything
            } else {
                tokens.append(paths ? .part : .everything)
            }
            isAfterAsterisk = isAsterisk
        }
        self.tokens = tokens
    }

    func matches(_ text: String) -> Bool { consumes(text.utf8.map { .character($0) }) }

    /// True only if every text that `other` matches is matched by this one. Sound, not complete: an asterisk of
    /// `other` has to be met by one of ours.
    func covers(_ other: PolicyPattern) -> Bool { consumes(other.tokens) }

    private func consumes(_ input: [Token]) -> Bool {
        // `reached[i]`: the tokens so far can have consumed the first i of the input.
        var reached = [Bool](repeating: false, count: input.count + 1)
        reached[0] = true
        for token in tokens {
            var next = [Bool](repeating: false, count: input.count + 1)
            for index in reached.indices {
                switch token {
                case .character:
                    if reached[index], index < input.count, input[index] == token { next[index + 1] = true }
                case .part, .everything:
                    if reached[index] { next[index] = true }
                    if next[index], index < input.count, token.takes(input[index]) { next[index + 1] = true }
                }
            }
            reached = next
        }
        return reached[input.count]
    }
}

extension PolicyPattern.Token {
    fileprivate func takes(_ input: Self) -> Bool {
        switch (self, input) {
        case (.everything, _): true
        case (.part, .character(let byte)): byte != UInt8(ascii: "/")
        case (.part, .part): true
        default: false
        }
    }
}
