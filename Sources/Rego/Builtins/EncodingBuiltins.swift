extension Builtins {
    static func addEncoding(_ table: inout BuiltinTable) {
        table.add("base64.encode") { _, x throws(BuiltinFailure) in
            .string(Base64.encode(try x.string(0).bytes, url: false, padded: true))
        }
        table.add("base64.decode") { _, x throws(BuiltinFailure) in
            let text = try x.text(0)
            return .string(try supported { () throws(SupportError) in try Base64.decode(text, url: false) })
        }
        table.add("base64.is_valid") { _, x throws(BuiltinFailure) in
            guard case .string(let box) = x[0] else { return .bool(false) }
            return .bool((try? Base64.decode(box.string, url: false)) != nil)
        }
        table.add("base64url.encode") { _, x throws(BuiltinFailure) in
            .string(Base64.encode(try x.string(0).bytes, url: true, padded: true))
        }
        table.add("base64url.encode_no_pad") { _, x throws(BuiltinFailure) in
            .string(Base64.encode(try x.string(0).bytes, url: true, padded: false))
        }
        table.add("base64url.decode") { _, x throws(BuiltinFailure) in
            let text = try x.text(0)
            return .string(try supported { () throws(SupportError) in try Base64.decode(text, url: true) })
        }
        table.add("hex.encode") { _, x throws(BuiltinFailure) in .string(Hex.encode(try x.string(0).bytes)) }
        table.add("hex.decode") { _, x throws(BuiltinFailure) in
            let text = try x.text(0)
            return .string(try supported { () throws(SupportError) in try Hex.decode(text) })
        }
        table.add("urlquery.encode") { _, x throws(BuiltinFailure) in .string(QueryText.encode(try x.text(0))) }
        table.add("urlquery.decode") { _, x throws(BuiltinFailure) in
            let text = try x.text(0)
            return .string(try supported { () throws(SupportError) in try QueryText.decode(text) })
        }
        table.add("urlquery.encode_object") { _, x throws(BuiltinFailure) in
            let object = try x.object(0)
            var pairs: [(String, [String])] = []
            for index in 0..<object.count {
                guard case .string(let key) = object.keys[index] else {
                    throw BuiltinFailure.type(1, "string", object.keys[index])
                }
                switch object.values[index] {
                case .string(let value): pairs.append((key.string, [value.string]))
                case .array(let box): pairs.append((key.string, try values(box.items)))
                case .set(let box): pairs.append((key.string, try values(box.items)))
                default: throw queryValues
                }
            }
            return .string(QueryText.encode(pairs: pairs))
        }
        table.add("urlquery.decode_object") { _, x throws(BuiltinFailure) in
            let text = try x.text(0)
            let pairs = try supported { () throws(SupportError) in try QueryText.decodeObject(text) }
            return .object(
                ObjectBox(unsorted: pairs.map { (Value.string($0.0), .array($0.1.map { Value.string($0) })) }))
        }
        table.add("json.marshal") { context, x throws(BuiltinFailure) in
            var writer = JSONWriter(escaping: .html)
            writer.write(x[0])
            try context.reserve(writer.bytes.count)
            if writer.isTruncated {
                throw BuiltinFailure(kind: .limit, message: "evaluation made a text that is too large", complete: true)
            }
            return .string(writer.bytes)
        }
        table.add("json.marshal_with_options") { context, x throws(BuiltinFailure) in
            // Indentation multiplies the text.
            try context.reserve(x[0].weight * 8)
            let bytes = try marshalWithOptions(x)
            try context.reserve(bytes.count)
            return .string(bytes)
        }
        table.add("json.unmarshal") { context, x throws(BuiltinFailure) in
            let box = try x.string(0)
            try context.reserve(box.count * 10)
            do throws(JSONFailure) {
                return try JSONReader.value(box.bytes, pool: context.program.strings)
            } catch {
                throw BuiltinFailure.invalid(error.message)
            }
        }
        table.add("json.is_valid") { context, x throws(BuiltinFailure) in
            guard case .string(let box) = x[0] else { return .bool(false) }
            try context.reserve(box.count * 4)
            return .bool((try? JSONReader.value(box.bytes)) != nil)
        }
        table.add("yaml.marshal") { context, x throws(BuiltinFailure) in
            try context.reserve(x[0].weight * 64)
            let node = yaml(x[0])
            return try context.string(try supported { () throws(SupportError) in try YAML.emit(node) })
        }
        table.add("yaml.unmarshal") { _, x throws(BuiltinFailure) in
            let text = try x.text(0)
            return Metadata.value(try supported { () throws(SupportError) in try YAML.parse(text) })
        }
        table.add("yaml.is_valid") { _, x throws(BuiltinFailure) in
            guard case .string(let box) = x[0] else { return .bool(false) }
            return .bool(YAML.isValid(box.string))
        }
    }

    private static func values(_ items: [Value]) throws(BuiltinFailure) -> [String] {
        var result: [String] = []
        for item in items {
            guard case .string(let box) = item else { throw queryValues }
            result.append(box.string)
        }
        return result
    }

    private static let queryValues = BuiltinFailure(
        kind: .type, message: "operand 1 values must be string, array[string], or set[string]")

    private static func yaml(_ value: Value) -> YAMLNode {
        switch value {
        case .undefined, .null: .null
        case .bool(let value): .bool(value)
        case .int(let number): .number(.int(number))
        case .number(let box): .number(.decimal(box))
        case .string(let box): .string(box.string)
        case .array(let items): .sequence(items.map(yaml))
        case .set(let box): .sequence(box.items.map(yaml))
        case .object(let box):
            .mapping(
                (0..<box.count).map { index in
                    YAMLNode.Entry(key: box.keys[index].plainText, value: yaml(box.values[index]))
                })
        }
    }

    private static func marshalWithOptions(_ x: Operands) throws(BuiltinFailure) -> [UInt8] {
        let options = try x.object(1)
        var prefix = ""
        var indent = "\t"
        var pretty = false
        var explicit: Bool?
        for index in 0..<options.count {
            guard case .string(let key) = options.keys[index] else {
                throw BuiltinFailure(kind: .type, message: "failed to read object keys")
            }
            let value = options.values[index]
            switch key.string {
            case "prefix":
                guard case .string(let text) = value else { throw option("prefix", value) }
                prefix = text.string
                pretty = true
            case "indent":
                guard case .string(let text) = value else { throw option("indent", value) }
                indent = text.string
                pretty = true
            case "pretty":
                guard case .bool(let flag) = value else {
                    throw BuiltinFailure(kind: .type, message: "operand 2 key \"pretty\" failed cast to bool")
                }
                explicit = flag
            default:
                throw BuiltinFailure(
                    kind: .type, message: "operand 2 object contained unknown key \"\(key.string)\"")
            }
        }
        if !(explicit ?? pretty) { return JSONWriter.bytes(x[0], escaping: .html) }
        var bytes: [UInt8] = Array(prefix.utf8)
        indented(x[0], prefix: prefix, indent: indent, depth: 0, &bytes)
        return bytes
    }

    private static func option(_ name: String, _ value: Value) -> BuiltinFailure {
        BuiltinFailure(
            kind: .type,
            message: "operand 2 key \"\(name)\" failed cast to string: operand 0 must be string but got "
                + value.typeName)
    }

    private static func indented(_ value: Value, prefix: String, indent: String, depth: Int, _ bytes: inout [UInt8]) {
        func newline(_ depth: Int) {
            bytes.append(10)
            bytes.append(contentsOf: prefix.utf8)
            for _ in 0..<depth { bytes.append(contentsOf: indent.utf8) }
        }
        func list(_ items: [Value]) {
            if items.isEmpty {
                bytes.append(contentsOf: "[]".utf8)
                return
            }
            bytes.append(UInt8(ascii: "["))
            for (index, item) in items.enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                newline(depth + 1)
                indented(item, prefix: prefix, indent: indent, depth: depth + 1, &bytes)
            }
            newline(depth)
            bytes.append(UInt8(ascii: "]"))
        }
        switch value {
        case .array(let box): list(box.items)
        case .set(let box): list(box.items)
        case .object(let box):
            if box.count == 0 {
                bytes.append(contentsOf: "{}".utf8)
                return
            }
            bytes.append(UInt8(ascii: "{"))
            for index in 0..<box.count {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                newline(depth + 1)
                var writer = JSONWriter(escaping: .html)
                writer.key(box.keys[index])
                bytes.append(contentsOf: writer.bytes)
                bytes.append(contentsOf: ": ".utf8)
                indented(box.values[index], prefix: prefix, indent: indent, depth: depth + 1, &bytes)
            }
            newline(depth)
            bytes.append(UInt8(ascii: "}"))
        default: bytes.append(contentsOf: JSONWriter.bytes(value, escaping: .html))
        }
    }
}
