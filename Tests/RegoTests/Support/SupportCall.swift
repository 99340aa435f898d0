import Testing

@testable import Rego

/// Runs a support function by name on text arguments, for tables of recorded answers.
enum SupportCall {
    struct UnknownCall: Error { let name: String }

    /// One row of a table.
    struct Row: CustomTestStringConvertible, Sendable {
        let name: String
        let arguments: [String]
        let expected: String
        var testDescription: String { ([name] + arguments).joined(separator: " | ") }
    }

    static func rows(_ table: String) -> [Row] {
        table.split(separator: "\n").compactMap { line in
            let cells = line.drop { $0 == " " }.split(separator: "\t", omittingEmptySubsequences: false)
            guard let mark = cells.lastIndex(of: "=>"), mark + 1 < cells.count, mark > 0 else { return nil }
            let expected = cells[(mark + 1)...].joined(separator: "\t")
            return Row(
                name: String(cells[0]), arguments: cells[1..<mark].map { unescaped($0) }, expected: expected)
        }
    }

    /// `OK value`, or `ERR kind "message"`.
    static func answer(_ row: Row) throws -> String {
        do {
            return "OK " + (try value(row.name, row.arguments))
        } catch let error as SupportError {
            return "ERR \(error.kind) \(json(error.message))"
        }
    }

    private static func unescaped(_ text: Substring) -> String {
        var result: [UInt8] = []
        var isEscaped = false
        for byte in text.utf8 {
            if isEscaped {
                result.append(byte == UInt8(ascii: "n") ? 10 : byte == UInt8(ascii: "t") ? 9 : byte)
                isEscaped = false
            } else if byte == UInt8(ascii: "\\") {
                isEscaped = true
            } else {
                result.append(byte)
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    static func json(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case _ where scalar.value < 0x20:
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }

    static func json(_ texts: [String]) -> String { "[" + texts.map { json($0) }.joined(separator: ",") + "]" }

    private static func number(_ text: String) throws -> Number { try #require(Number(json: text)) }

    private static func integer(_ text: String) throws -> Int { try #require(Int(text)) }

    private static func argument(_ text: String) throws -> FormatArgument {
        text.hasPrefix("s:") ? .string(String(text.dropFirst(2))) : FormatArgument(try number(text))
    }

    private static func value(_ name: String, _ a: [String]) throws -> String {
        if let result = try numberValue(name, a) ?? textValue(name, a) ?? patternValue(name, a) { return result }
        if let result = try timeValue(name, a) ?? encodingValue(name, a) ?? otherValue(name, a) { return result }
        throw UnknownCall(name: name)
    }

    private static func numberValue(_ name: String, _ a: [String]) throws -> String? {
        func two(_ body: (Number, Number) throws -> Number) throws -> String {
            "#" + (try body(number(a[0]), number(a[1]))).text
        }
        switch name {
        case "add": return try two(Number.add)
        case "sub": return try two(Number.sub)
        case "mul": return try two(Number.mul)
        case "div": return try two(Number.div)
        case "rem": return try two(Number.rem)
        case "and": return try two(Number.bitsAnd)
        case "or": return try two(Number.bitsOr)
        case "xor": return try two(Number.bitsXor)
        case "rsh": return try two(Number.bitsShiftRight)
        case "negate": return "#" + (try Number.bitsNegate(number(a[0]))).text
        case "lt": return try number(a[0]) < number(a[1]) ? "true" : "false"
        case "eq": return try number(a[0]) == number(a[1]) ? "true" : "false"
        case "abs": return "#" + (try number(a[0]).abs()).text
        case "ceil": return "#" + (try number(a[0]).ceil()).text
        case "floor": return "#" + (try number(a[0]).floor()).text
        case "round": return "#" + (try number(a[0]).round()).text
        case "sum": return "#" + (try Number.sum(a.map { try number($0) })).text
        case "product": return "#" + (try Number.product(a.map { try number($0) })).text
        case "format_int": return json(try number(a[0]).format(base: integer(a[1])))
        default: return nil
        }
    }

    private static func textValue(_ name: String, _ a: [String]) throws -> String? {
        switch name {
        case "sprintf": return json(try GoFormat.sprintf(a[0], try a.dropFirst().map { try argument($0) }))
        case "lower": return json(GoText.lower(a[0]))
        case "upper": return json(GoText.upper(a[0]))
        case "trim": return json(GoText.trim(a[0], cutset: a[1]))
        case "trim_left": return json(GoText.trimLeft(a[0], cutset: a[1]))
        case "trim_right": return json(GoText.trimRight(a[0], cutset: a[1]))
        case "trim_space": return json(GoText.trimSpace(a[0]))
        case "trim_prefix": return json(GoText.trimPrefix(a[0], a[1]))
        case "trim_suffix": return json(GoText.trimSuffix(a[0], a[1]))
        case "reverse": return json(GoText.reverse(a[0]))
        case "indexof": return "#\(try GoText.indexOf(a[0], a[1]))"
        case "indexof_n": return json(try GoText.indexesOf(a[0], a[1]).map { "#\($0)" })
        case "substring": return json(try GoText.substring(a[0], offset: integer(a[1]), length: integer(a[2])))
        case "split": return json(GoText.split(a[0], a[1]))
        case "split_n": return json(GoText.splitN(a[0], a[1], try integer(a[2])))
        case "count": return "#\(GoText.count(a[0], a[1]))"
        case "replace": return json(try GoText.replace(a[0], a[1], a[2]))
        default: return nil
        }
    }

    private static func patternValue(_ name: String, _ a: [String]) throws -> String? {
        func truth(_ value: Bool) -> String { value ? "true" : "false" }
        switch name {
        case "match": return truth(try RegularExpression(a[0]).isMatch(a[1]))
        case "find_n": return json(try RegularExpression(a[0]).findAll(a[1], limit: integer(a[2])))
        case "submatch":
            let found = try RegularExpression(a[0]).findAllSubmatches(a[1], limit: integer(a[2]))
            return "[" + found.map { json($0) }.joined(separator: ",") + "]"
        case "rsplit": return json(try RegularExpression(a[0]).split(a[1]))
        case "rreplace": return json(try RegularExpression(a[1]).replaceAll(a[0], template: a[2]))
        case "valid": return truth(RegularExpression.isValid(a[0]))
        case "template": return truth(try RegexTemplate.match(template: a[0], text: a[1], open: a[2], close: a[3]))
        case "globs": return truth(try GlobIntersection.intersects(a[0], a[1]))
        case "glob": return truth(try GlobPattern(a[0], delimiters: Array(a[1].unicodeScalars)).matches(a[2]))
        default: return nil
        }
    }

    private static func timeValue(_ name: String, _ a: [String]) throws -> String? {
        func three(_ value: (Int, Int, Int)) -> String { json(["#\(value.0)", "#\(value.1)", "#\(value.2)"]) }
        func moment() throws -> (Int64, TimeZone) {
            (try GoTime.nanoseconds(number(a[0])), try TimeZone.named(a[1]))
        }
        switch name {
        case "parse_rfc3339_ns": return "#\(try GoTime.parseRFC3339(a[0]))"
        case "parse_ns": return "#\(try GoTime.parse(layout: a[0], value: a[1]))"
        case "parse_duration_ns": return "#\(try GoTime.parseDuration(a[0]))"
        case "format":
            let (time, zone) = try moment()
            return json(GoTime.format(time, zone: zone, layout: a[2]))
        case "date":
            let (time, zone) = try moment()
            return three(GoTime.date(time, zone))
        case "clock":
            let (time, zone) = try moment()
            return three(GoTime.clock(time, zone))
        case "weekday":
            let (time, zone) = try moment()
            return json(GoTime.weekday(time, zone))
        case "add_date":
            let time = try GoTime.nanoseconds(number(a[0]))
            let (years, months, days) = (try integer(a[1]), try integer(a[2]), try integer(a[3]))
            return "#\(try GoTime.addDate(time, years: years, months: months, days: days))"
        case "diff":
            let second = (try GoTime.nanoseconds(number(a[2])), try TimeZone.named(a[3]))
            let parts = GoTime.difference(try moment(), second)
            return json([parts.0, parts.1, parts.2, parts.3, parts.4, parts.5].map { "#\($0)" })
        default: return nil
        }
    }

    private static func encodingValue(_ name: String, _ a: [String]) throws -> String? {
        switch name {
        case "b64": return json(Base64.encode(Array(a[0].utf8), url: false))
        case "b64u": return json(Base64.encode(Array(a[0].utf8), url: true))
        case "b64un": return json(Base64.encode(Array(a[0].utf8), url: true, padded: false))
        case "b64d": return json(GoText.string(repairing: try Base64.decode(a[0], url: false)))
        case "b64ud": return json(GoText.string(repairing: try Base64.decode(a[0], url: true)))
        case "b64v": return Base64.isValid(a[0]) ? "true" : "false"
        case "hex": return json(Hex.encode(Array(a[0].utf8)))
        case "hexd": return json(GoText.string(repairing: try Hex.decode(a[0])))
        case "qenc": return json(QueryText.encode(a[0]))
        case "qdec": return json(try QueryText.decode(a[0]))
        case "qobj":
            let pairs = try QueryText.decodeObject(a[0])
            return "{" + pairs.map { json($0.0) + ":" + json($0.1) }.joined(separator: ",") + "}"
        case "md5": return json(Digest.md5.hex(a[0]))
        case "sha1": return json(Digest.sha1.hex(a[0]))
        case "sha256": return json(Digest.sha256.hex(a[0]))
        case "hmd5": return json(Digest.md5.hmacHex(key: a[1], message: a[0]))
        case "hsha1": return json(Digest.sha1.hmacHex(key: a[1], message: a[0]))
        case "hsha256": return json(Digest.sha256.hmacHex(key: a[1], message: a[0]))
        case "hsha512": return json(Digest.sha512.hmacHex(key: a[1], message: a[0]))
        default: return nil
        }
    }

    private static func otherValue(_ name: String, _ a: [String]) throws -> String? {
        switch name {
        case "contains": return try CIDR.contains(a[0], a[1]) ? "true" : "false"
        case "intersects": return try CIDR.intersects(a[0], a[1]) ? "true" : "false"
        case "cidr_valid": return CIDR.isValid(a[0]) ? "true" : "false"
        case "expand": return json(try CIDR.expand(a[0]))
        case "merge": return json(try CIDR.merge(a).sorted())
        case "units": return "#" + (try Units.parse(a[0])).text
        case "unitsb": return "#" + (try Units.parseBytes(a[0])).text
        case "semver": return "#\(try SemanticVersion.compare(a[0], a[1]))"
        case "semver_valid": return SemanticVersion.isValid(a[0]) ? "true" : "false"
        case "uri":
            let parts = try URIText.parse(a[0])
            return "{" + parts.map { json($0.name) + ":" + json($0.value) }.joined(separator: ",") + "}"
        case "uri_valid": return URIText.isValid(a[0]) ? "true" : "false"
        case "uuid": return uuid(a[0])
        case "yaml": return json(try YAML.parse(a[0]))
        case "emit": return json(try YAML.emit(YAML.parse(a[0])))
        default: return nil
        }
    }

    private static func json(_ node: YAMLNode) -> String {
        switch node {
        case .null: "null"
        case .bool(let value): value ? "true" : "false"
        case .number(let value): json("#" + value.text)
        case .string(let value): json(value)
        case .sequence(let items): "[" + items.map { json($0) }.joined(separator: ",") + "]"
        case .mapping(let entries):
            "{" + entries.map { json($0.key) + ":" + json($0.value) }.joined(separator: ",") + "}"
        }
    }

    private static func uuid(_ text: String) -> String {
        guard let fields = UUIDText.parse(text) else { return "null" }
        var parts = ["\"version\":\"#\(fields.version)\"", "\"variant\":\(json(fields.variant))"]
        if let time = fields.time { parts.append("\"time\":\"#\(time)\"") }
        if let node = fields.nodeID { parts.append("\"nodeid\":\(json(node))") }
        if let clock = fields.clockSequence { parts.append("\"clocksequence\":\"#\(clock)\"") }
        if let mac = fields.macVariables { parts.append("\"macvariables\":\(json(mac))") }
        if let id = fields.id { parts.append("\"id\":\"#\(id)\"") }
        if let domain = fields.domain { parts.append("\"domain\":\(json(domain))") }
        return "{" + parts.joined(separator: ",") + "}"
    }
}
