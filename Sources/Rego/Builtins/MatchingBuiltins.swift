import Synchronization

/// Compiled patterns, shared by all evaluations of a program.
final class PatternCache: Sendable {
    private static let capacity = 2048

    private struct GlobKey: Hashable {
        let pattern: Value
        let delimiters: Value
    }

    private let regexes = Mutex<[Value: RegularExpression]>([:])
    private let globs = Mutex<[GlobKey: GlobPattern]>([:])

    func regex(_ pattern: StringBox) throws(SupportError) -> RegularExpression {
        let key = Value.string(pattern)
        if let known = regexes.withLock({ $0[key] }) { return known }
        let regex = try RegularExpression(pattern.string)
        regexes.withLock { cache in
            if cache.count >= PatternCache.capacity { cache.removeAll() }
            cache[key] = regex
        }
        return regex
    }

    func glob(_ pattern: StringBox, _ delimiters: Value) throws(BuiltinFailure) -> GlobPattern {
        let key = GlobKey(pattern: .string(pattern), delimiters: delimiters)
        if let known = globs.withLock({ $0[key] }) { return known }
        let scalars = try PatternCache.scalars(delimiters)
        let glob = try supported { () throws(SupportError) in try GlobPattern(pattern.string, delimiters: scalars) }
        globs.withLock { cache in
            if cache.count >= PatternCache.capacity { cache.removeAll() }
            cache[key] = glob
        }
        return glob
    }

    static func scalars(_ delimiters: Value) throws(BuiltinFailure) -> [Unicode.Scalar] {
        switch delimiters {
        case .null: return []
        case .array(let items):
            if items.isEmpty { return ["."] }
            var result: [Unicode.Scalar] = []
            for item in items {
                guard case .string(let box) = item else {
                    throw BuiltinFailure(
                        kind: .type,
                        message: "operand 2 must be array of strings but got array containing \(item.typeName)")
                }
                let scalars = Array(box.string.unicodeScalars)
                guard scalars.count == 1 else {
                    throw BuiltinFailure(
                        kind: .type, message: "operand 2 must be array of runes but got array containing string")
                }
                result.append(scalars[0])
            }
            return result
        default: throw BuiltinFailure.type(2, "one of {array, null}", delimiters)
        }
    }
}

extension Builtins {
    static func addMatching(_ table: inout BuiltinTable) {
        table.add("glob.match") { context, x throws(BuiltinFailure) in
            let pattern = try x.string(0)
            let text = try x.string(2)
            let glob = try context.program.patterns.glob(pattern, x[1])
            return .bool(text.withBytes { glob.matches($0) })
        }
        table.add("glob.quote_meta") { _, x throws(BuiltinFailure) in .string(GlobPattern.quoteMeta(try x.text(0))) }
        table.add("regex.match") { context, x throws(BuiltinFailure) in
            let pattern = try x.string(0)
            let text = try x.string(1)
            let regex = try regex(context, pattern)
            guard context.spend(regex.cost(text.count)) else { return .undefined }
            return .bool(text.withBytes { regex.isMatch($0) })
        }
        table.add("regex.is_valid") { _, x throws(BuiltinFailure) in
            guard case .string(let box) = x[0] else { return .bool(false) }
            return .bool(RegularExpression.isValid(box.string))
        }
        table.add("regex.find_n") { context, x throws(BuiltinFailure) in
            let (text, count) = (try x.text(1), try x.integer(2))
            let regex = try regex(context, try x.string(0))
            guard context.spend(regex.cost(text.utf8.count)) else { return .undefined }
            let found = regex.findAll(text, limit: bounded(count, context))
            try context.reserve(found.count * 80)
            return .array(found.map { .string($0) })
        }
        table.add("regex.find_all_string_submatch_n") { context, x throws(BuiltinFailure) in
            let (text, count) = (try x.text(1), try x.integer(2))
            let regex = try regex(context, try x.string(0))
            guard context.spend(regex.cost(text.utf8.count)) else { return .undefined }
            let found = regex.findAllSubmatches(text, limit: bounded(count, context))
            try context.reserve(found.count * (64 + 80 * (regex.groupCount + 1)))
            return .array(found.map { .array($0.map { .string($0) }) })
        }
        table.add("regex.split") { context, x throws(BuiltinFailure) in
            let text = try x.text(1)
            let regex = try regex(context, try x.string(0))
            guard context.spend(regex.cost(text.utf8.count)) else { return .undefined }
            let count = text.withBytes { regex.findAll($0, limit: bounded(-1, context)).count }
            try context.reserve(count * 80)
            return .array(regex.split(text).map { .string($0) })
        }
        table.add("regex.replace") { context, x throws(BuiltinFailure) in
            let (text, template) = (try x.text(0), try x.text(2))
            let regex = try regex(context, try x.string(1))
            guard context.spend(regex.cost(text.utf8.count)) else { return .undefined }
            return try context.string(
                try supported { () throws(SupportError) in try regex.replaceAll(text, template: template) })
        }
        table.add("regex.template_match") { _, x throws(BuiltinFailure) in
            let (template, text, open, close) = (try x.text(0), try x.text(1), try x.text(2), try x.text(3))
            return .bool(
                try supported { () throws(SupportError) in
                    try RegexTemplate.match(template: template, text: text, open: open, close: close)
                })
        }
        table.add("regex.globs_match") { _, x throws(BuiltinFailure) in
            let (first, second) = (try x.text(0), try x.text(1))
            return .bool(try supported { () throws(SupportError) in try GlobIntersection.intersects(first, second) })
        }
    }

    /// As many matches as the memory budget has room for, and one more, which then exceeds it.
    private static func bounded(_ count: Int, _ context: Context) -> Int {
        let room = max(0, context.bytesLeft) / 80 + 1
        return count < 0 ? room : min(count, room)
    }

    private static func regex(_ context: Context, _ pattern: StringBox) throws(BuiltinFailure) -> RegularExpression {
        try supported { () throws(SupportError) in try context.program.patterns.regex(pattern) }
    }
}
