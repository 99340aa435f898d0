/// What counts as tighter than a value that an earlier layer gave. `PolicyMerge` holds every later layer to it.
enum PolicyOrder: Sendable {
    /// Nothing: once said, it stands.
    case same
    /// The organisation alone says it.
    case organisation
    /// True is tighter.
    case on
    /// Less is tighter.
    case less
    /// More is tighter.
    case more
    /// A later one of the choices is tighter.
    case later
    /// Each choice with those that are tighter.
    case tighter([String: [String]])
    /// A part of the list is tighter.
    case part
    /// Patterns, each of which one of the earlier ones covers, are tighter. With paths, `*` stays within one part.
    case covered(paths: Bool)
    /// The same for models: an ARN's pattern is covered by one that begins as an ARN.
    case models
    /// Blocks of addresses that lie in the earlier ones are tighter.
    case ranges
    /// A path at or below the earlier one is tighter.
    case below
    /// Entries only add up; more of them is tighter.
    case union
    /// Entries of the allow-list: fewer hosts, ports, schemes, methods, paths and lower limits are tighter.
    case allowList
    /// Rules about tools: all layers' rules count together, and the strictest that fits wins.
    case tools
    /// Tools of MCP servers, as rules about tools.
    case servers
    /// Settings: a later layer may fix more of them, and each as tightly or tighter.
    case pins

    /// Whether all layers' elements count together; otherwise the last layer that speaks has said it all.
    var isPooled: Bool {
        switch self {
        case .union, .tools, .servers, .pins: true
        default: false
        }
    }

    /// Whether its rules are about command lines.
    var isCommands: Bool {
        if case .tools = self { return true }
        return false
    }

    /// For the documentation: `tighter: ...`.
    var words: String {
        switch self {
        case .same: "nothing; once said it stands"
        case .organisation: "nothing; the organisation alone says it"
        case .on: "true"
        case .less: "less"
        case .more: "more"
        case .later: "a later one of the values"
        case .tighter(let table):
            table.keys.sorted().map { "\((table[$0] ?? []).joined(separator: " and ")) than \($0)" }
                .joined(separator: "; ")
        case .part: "a part of the list, also none of it"
        case .covered: "patterns that the earlier list covers; the later list stands for itself"
        case .models:
            "patterns that the earlier list covers, those that begin with arn: by one that does; the later list stands for itself"
        case .ranges: "blocks within the earlier ones; the later list stands for itself"
        case .below: "the same path, or one below it"
        case .union: "more; the lists of all layers count together"
        case .allowList:
            "what the earlier list permits, or less of it: hosts, ports, schemes, methods, paths, limits; the later list stands for itself"
        case .tools:
            "more and stricter rules; the rules of all layers count together, the strictest that fits wins, and of a program that an earlier rule names no more runs than the earlier rules let"
        case .servers:
            "more and stricter rules; the rules of all layers count together, the strictest that fits wins, and where an earlier list stands, what is not on it stays forbidden"
        case .pins: "more settings, and each value as tight or tighter"
        }
    }
}
