import AiboxWire

/// A manual page in mdoc(7), made from what ArgumentParser tells of a command.
struct ManualPage: Equatable {
    /// `aibox-config-set.1`
    var file: String
    var text: String

    /// The page of a command and those of the commands below it.
    static func pages(of command: JSONValue, version: String) -> [ManualPage] {
        pages(command, ["aibox"], version)
    }

    private static func pages(_ command: JSONValue, _ words: [String], _ version: String) -> [ManualPage] {
        let below = (command["subcommands"]?.elements ?? []).filter { name($0) != "help" }
        return [ManualPage(command, words, below.map(name), version)]
            + below.flatMap { pages($0, words + [name($0)], version) }
    }

    private init(_ command: JSONValue, _ words: [String], _ below: [String], _ version: String) {
        let title = words.joined(separator: "-")
        let arguments = (command["arguments"]?.elements ?? []).filter { $0["shouldDisplay"]?.truth != false }
        let abstract = command["abstract"]?.stringValue ?? ""
        var lines = [
            ".Dd $Mdocdate$", ".Dt \(title.uppercased()) 1", ".Os aibox \(version)", ".Sh NAME", ".Nm \(title)",
            ".Nd " + Self.escaped(abstract.hasSuffix(".") ? String(abstract.dropLast()) : abstract), ".Sh SYNOPSIS",
            ".Nm \(words.joined(separator: " "))",
        ]
        lines += arguments.map { ".Op " + Self.macro($0) }
        if !below.isEmpty { lines.append(".Ar command") }
        if let discussion = command["discussion"]?.stringValue {
            lines += [".Sh DESCRIPTION", ".Bd -literal"] + Self.lines(discussion) + [".Ed"]
        }
        if !arguments.isEmpty {
            lines += [".Sh OPTIONS", ".Bl -tag -width Ds"]
            for argument in arguments {
                lines.append(".It " + Self.macro(argument))
                lines += Self.lines(argument["abstract"]?.stringValue ?? "")
                if let value = argument["defaultValue"]?.stringValue, !value.isEmpty {
                    lines.append("(default: " + Self.escaped(value) + ")")
                }
            }
            lines.append(".El")
        }
        if !below.isEmpty {
            lines += [".Sh COMMANDS", ".Bl -tag -width Ds"]
            for (child, name) in zip((command["subcommands"]?.elements ?? []).filter { Self.name($0) != "help" }, below)
            {
                lines.append(".It Xr \(title)-\(name) 1")
                lines += Self.lines(child["abstract"]?.stringValue ?? "")
            }
            lines.append(".El")
        }
        if words.count > 1 { lines += [".Sh SEE ALSO", ".Xr \(words.dropLast().joined(separator: "-")) 1"] }
        file = title + ".1"
        text = lines.joined(separator: "\n") + "\n"
    }

    private static func name(_ command: JSONValue) -> String { command["commandName"]?.stringValue ?? "" }

    /// `Fl o , Fl -output Ar format`, `Ar path`.
    private static func macro(_ argument: JSONValue) -> String {
        let value = escaped(argument["valueName"]?.stringValue ?? "")
        if argument["kind"]?.stringValue == "positional" { return "Ar " + value }
        let names = (argument["names"]?.elements ?? []).map { name in
            (name["kind"]?.stringValue == "long" ? "Fl -" : "Fl ") + escaped(name["name"]?.stringValue ?? "")
        }
        return names.joined(separator: " , ") + (argument["kind"]?.stringValue == "option" ? " Ar " + value : "")
    }

    private static func lines(_ text: String) -> [String] {
        text.split(separator: "\n", omittingEmptySubsequences: false).map { escaped(String($0)) }
    }

    /// A backslash starts an escape; a dot or quote at the start of a line a macro (roff(7)).
    private static func escaped(_ text: String) -> String {
        let text = text.replacing("\\", with: "\\e")
        return text.hasPrefix(".") || text.hasPrefix("'") ? "\\&" + text : text
    }
}
