extension Builtins {
    static func addStrings(_ table: inout BuiltinTable) {
        table.add("concat") { context, x throws(BuiltinFailure) in
            let separator = try x.string(0)
            let items = try x.items(1)
            var size = 0
            for item in items {
                guard case .string(let box) = item else {
                    throw BuiltinFailure(
                        kind: .type,
                        message: "operand 2 must be \(x[1].typeName) of strings but got \(x[1].typeName) containing "
                            + item.typeName)
                }
                size += box.count + separator.count
            }
            try context.reserve(size)
            var bytes: [UInt8] = []
            bytes.reserveCapacity(size)
            for (index, item) in items.enumerated() {
                if index > 0 { separator.withBytes { bytes.append(contentsOf: $0) } }
                if case .string(let box) = item { box.withBytes { bytes.append(contentsOf: $0) } }
            }
            return .string(bytes)
        }
        table.add("contains") { _, x throws(BuiltinFailure) in
            let (text, part) = (try x.string(0), try x.string(1))
            return .bool(text.withBytes { text in part.withBytes { GoText.find(text, $0, from: 0) != nil } })
        }
        table.add("startswith") { _, x throws(BuiltinFailure) in
            .bool(hasPrefix(try x.string(0), try x.string(1)))
        }
        table.add("endswith") { _, x throws(BuiltinFailure) in
            .bool(hasSuffix(try x.string(0), try x.string(1)))
        }
        table.add("strings.any_prefix_match") { _, x throws(BuiltinFailure) in
            .bool(try anyMatch(x, hasPrefix))
        }
        table.add("strings.any_suffix_match") { _, x throws(BuiltinFailure) in
            .bool(try anyMatch(x, hasSuffix))
        }
        table.add("indexof") { _, x throws(BuiltinFailure) in
            let (text, part) = (try x.text(0), try x.text(1))
            return .int(Int64(try supported { () throws(SupportError) in try GoText.indexOf(text, part) }))
        }
        table.add("indexof_n") { context, x throws(BuiltinFailure) in
            let (text, part) = (try x.text(0), try x.text(1))
            try context.reserve(GoText.count(text, part) * 24)
            return .array(
                try supported { () throws(SupportError) in try GoText.indexesOf(text, part) }.map { .int(Int64($0)) })
        }
        table.add("lower") { context, x throws(BuiltinFailure) in
            let box = try x.string(0)
            // Most text is ASCII without capitals and stays as it is.
            let plain = box.withBytes { bytes in
                for byte in bytes where byte >= 0x80 || byte &- 65 < 26 { return false }
                return true
            }
            return plain ? x[0] : try context.string(GoText.lower(box.string))
        }
        table.add("upper") { context, x throws(BuiltinFailure) in try context.string(GoText.upper(try x.text(0))) }
        table.add("replace") { context, x throws(BuiltinFailure) in
            let (text, old, new) = (try x.text(0), try x.text(1), try x.text(2))
            return try context.string(try supported { () throws(SupportError) in try GoText.replace(text, old, new) })
        }
        table.add("strings.replace_n") { context, x throws(BuiltinFailure) in
            let patterns = try x.object(0)
            var pairs: [(String, String)] = []
            for index in 0..<patterns.count {
                guard case .string(let key) = patterns.keys[index] else {
                    throw BuiltinFailure(kind: .type, message: "operand 1 non-string key found in pattern object")
                }
                guard case .string(let value) = patterns.values[index] else {
                    throw BuiltinFailure(kind: .type, message: "operand 1 non-string value found in pattern object")
                }
                pairs.append((key.string, value.string))
            }
            let text = try x.text(1)
            return try context.string(try supported { () throws(SupportError) in try GoText.replaceN(pairs, in: text) })
        }
        table.add("split") { context, x throws(BuiltinFailure) in
            let (text, separator) = (try x.string(0), try x.string(1))
            // An array entry and an object for each part.
            let parts = GoText.count(text.string, separator.string)
            try context.reserve(text.count + parts * 64)
            return .array(GoText.split(text.string, separator.string).map { .string($0) })
        }
        table.add("strings.split_n") { context, x throws(BuiltinFailure) in
            let (text, separator, count) = (try x.text(0), try x.text(1), try x.integer(2))
            try context.reserve(text.utf8.count + GoText.count(text, separator) * 64)
            return .array(GoText.splitN(text, separator, count).map { .string($0) })
        }
        table.add("strings.count") { _, x throws(BuiltinFailure) in
            .int(Int64(GoText.count(try x.text(0), try x.text(1))))
        }
        table.add("strings.reverse") { context, x throws(BuiltinFailure) in
            return try context.string(GoText.reverse(try x.text(0)))
        }
        table.add("substring") { _, x throws(BuiltinFailure) in
            let (text, offset, length) = (try x.text(0), try x.integer(1), try x.integer(2))
            return .string(
                try supported { () throws(SupportError) in try GoText.substring(text, offset: offset, length: length) })
        }
        table.add("trim") { _, x throws(BuiltinFailure) in .string(GoText.trim(try x.text(0), cutset: try x.text(1))) }
        table.add("trim_left") { _, x throws(BuiltinFailure) in
            .string(GoText.trimLeft(try x.text(0), cutset: try x.text(1)))
        }
        table.add("trim_right") { _, x throws(BuiltinFailure) in
            .string(GoText.trimRight(try x.text(0), cutset: try x.text(1)))
        }
        table.add("trim_space") { _, x throws(BuiltinFailure) in .string(GoText.trimSpace(try x.text(0))) }
        table.add("trim_prefix") { _, x throws(BuiltinFailure) in
            let (text, part) = (try x.string(0), try x.string(1))
            if part.count == 0 || !hasPrefix(text, part) { return x[0] }
            return .string(text.withBytes { StringBox.make(UnsafeBufferPointer(rebasing: $0[part.count...])) })
        }
        table.add("trim_suffix") { _, x throws(BuiltinFailure) in
            let (text, part) = (try x.string(0), try x.string(1))
            if part.count == 0 || !hasSuffix(text, part) { return x[0] }
            return .string(
                text.withBytes { StringBox.make(UnsafeBufferPointer(rebasing: $0[..<(text.count - part.count)])) })
        }
        table.add("sprintf") { context, x throws(BuiltinFailure) in
            let format = try x.text(0)
            var arguments: [FormatArgument] = []
            for item in try x.array(1) { arguments.append(try formatArgument(item, context)) }
            return try context.string(
                try supported { () throws(SupportError) in try GoFormat.sprintf(format, arguments) })
        }
        table.add("internal.template_string") { context, x throws(BuiltinFailure) in
            var bytes: [UInt8] = []
            for part in try x.array(0) {
                switch part {
                case .set(let box):
                    if box.count > 1 {
                        throw BuiltinFailure(
                            kind: .conflict, message: "template-strings must not produce multiple outputs")
                    }
                    guard let value = box.items.first else {
                        bytes.append(contentsOf: "<undefined>".utf8)
                        continue
                    }
                    if case .string(let text) = value {
                        text.withBytes { bytes.append(contentsOf: $0) }
                    } else {
                        bytes.append(contentsOf: try context.text(value).utf8)
                    }
                case .string(let text): text.withBytes { bytes.append(contentsOf: $0) }
                default: bytes.append(contentsOf: try context.text(part).utf8)
                }
            }
            try context.reserve(bytes.count)
            return .string(bytes)
        }
    }

    static func formatArgument(_ value: Value, _ context: Context) throws(BuiltinFailure) -> FormatArgument {
        switch value {
        case .int(let number): .int(number)
        case .number(let box): FormatArgument(.decimal(box))
        case .string(let box): .string(box.string)
        default: .string(try context.text(value))
        }
    }

    @inline(__always)
    static func hasPrefix(_ text: StringBox, _ part: StringBox) -> Bool {
        text.withBytes { text in
            part.withBytes { part in
                text.count >= part.count && compareBytes(text.baseAddress, part.baseAddress, part.count) == 0
            }
        }
    }

    @inline(__always)
    static func hasSuffix(_ text: StringBox, _ part: StringBox) -> Bool {
        text.withBytes { text in
            part.withBytes { part in
                text.count >= part.count
                    && compareBytes(
                        text.baseAddress.map { $0 + (text.count - part.count) }, part.baseAddress, part.count) == 0
            }
        }
    }

    private static func anyMatch(
        _ x: Operands, _ test: (StringBox, StringBox) -> Bool
    ) throws(BuiltinFailure) -> Bool {
        let texts = try boxes(x, 0)
        let parts = try boxes(x, 1)
        for text in texts {
            for part in parts where test(text, part) { return true }
        }
        return false
    }

    /// A string, or the strings of an array or set.
    private static func boxes(_ x: Operands, _ index: Int) throws(BuiltinFailure) -> [StringBox] {
        if case .string(let box) = x[index] { return [box] }
        var result: [StringBox] = []
        for item in try x.items(index, "one of {string, set, array}") {
            guard case .string(let box) = item else {
                throw BuiltinFailure(
                    kind: .type,
                    message: "operand \(index + 1) must be \(x[index].typeName) of strings but got "
                        + "\(x[index].typeName) containing \(item.typeName)")
            }
            result.append(box)
        }
        return result
    }
}
