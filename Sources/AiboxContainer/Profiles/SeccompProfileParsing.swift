public import AiboxSystem
import AiboxWire

extension SeccompProfile {
    /// Reads the file: strict JSON with the members that aibox uses of the format, and no other.
    ///
    /// - Throws: `integrity`, for the file is part of aibox and nobody is meant to edit it.
    public init(parsing bytes: [UInt8]) throws(AiboxError) {
        do {
            let document = try JSONParser.parse(bytes)
            var fields = try WireFields(document, in: "seccomp profile")
            let action = try Self.action(&fields, "defaultAction", "defaultErrnoRet")
            let architectures = try Self.list(fields.take("archMap"), "archMap").map(Self.architecture)
            let rules = try Self.list(fields.take("syscalls"), "syscalls").map(Self.rule)
            try fields.finish()
            self.init(defaultAction: action, architectures: architectures, rules: rules, source: bytes)
        } catch {
            let why = (error as? WireError)?.why ?? "\(error)"
            throw AiboxError(
                .integrity, "the seccomp profile cannot be used", why: why, remedy: "install aibox again")
        }
    }

    private static func rule(_ json: JSONValue) throws -> Rule {
        var fields = try WireFields(json, in: "rule")
        let names = try list(fields.take("names"), "names").map { name in
            guard let text = name.stringValue else { throw fields.error("a name is no string") }
            return text
        }
        let action = try action(&fields, "action", "errnoRet")
        let arguments = try list(fields.take("args") ?? [], "args").map(argument)
        let places = try fields.take("includes").map(self.places)
        let comment = try fields.optionalString("comment")
        try fields.finish()
        return Rule(names: names, action: action, arguments: arguments, architectures: places, comment: comment)
    }

    private static func action(_ fields: inout WireFields, _ name: String, _ errnoName: String) throws -> Action {
        let errno: UInt16? = try fields.optionalInteger(errnoName)
        switch (try fields.string(name), errno) {
        case ("SCMP_ACT_ALLOW", nil): return .allow
        case ("SCMP_ACT_ERRNO", let errno?) where errno > 0 && errno < 4096: return .refuse(errno: errno)
        case (let action, _): throw fields.error("\(name) \(action) with \(errnoName) \(errno.map(String.init) ?? "-")")
        }
    }

    private static func argument(_ json: JSONValue) throws -> Argument {
        var fields = try WireFields(json, in: "argument")
        let index: UInt32 = try fields.integer("index")
        let value: UInt64 = try fields.integer("value")
        let second: UInt64 = try fields.integer("valueTwo")
        let comparison: Argument.Comparison
        switch try fields.string("op") {
        case "SCMP_CMP_EQ" where second == 0: comparison = .equal(value)
        case "SCMP_CMP_GE" where second == 0: comparison = .atLeast(value)
        case "SCMP_CMP_MASKED_EQ": comparison = .masked(mask: value, value: second)
        case let other: throw fields.error("\(other) with valueTwo \(second)")
        }
        try fields.finish()
        return Argument(index, comparison)
    }

    private static func architecture(_ json: JSONValue) throws -> Architecture {
        var fields = try WireFields(json, in: "archMap")
        let name = try fields.string("architecture")
        // A sub-architecture would open a second table of calls (32-bit, x32) to every program.
        guard try list(fields.take("subArchitectures"), "subArchitectures").isEmpty else {
            throw fields.error("\(name) has sub-architectures")
        }
        try fields.finish()
        guard let known = Architecture.allCases.first(where: { $0.ociName == name }) else {
            throw fields.error("unknown architecture \(name)")
        }
        return known
    }

    private static func places(_ json: JSONValue) throws -> [Architecture] {
        var fields = try WireFields(json, in: "includes")
        let names = try list(fields.take("arches"), "arches")
        try fields.finish()
        return try names.map { name in
            guard let known = Architecture.allCases.first(where: { $0.goName == name.stringValue }) else {
                throw fields.error("unknown architecture \(name.text)")
            }
            return known
        }
    }

    private static func list(_ json: JSONValue?, _ name: String) throws -> [JSONValue] {
        guard let elements = json?.elements else {
            throw WireError(code: "usage", what: "seccomp profile", why: "\(name) is no list")
        }
        return elements
    }
}
