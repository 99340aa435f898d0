extension Builtins {
    static func addMiscellany(_ table: inout BuiltinTable) {
        table.add("semver.is_valid") { _, x throws(BuiltinFailure) in
            guard case .string(let box) = x[0] else { return .bool(false) }
            return .bool(SemanticVersion.isValid(box.string))
        }
        table.add("semver.compare") { _, x throws(BuiltinFailure) in
            let (first, second) = (try x.text(0), try x.text(1))
            return .int(Int64(try supported { () throws(SupportError) in try SemanticVersion.compare(first, second) }))
        }
        table.add("units.parse") { _, x throws(BuiltinFailure) in
            let text = try x.text(0)
            return .number(try supported { () throws(SupportError) in try Units.parse(text) })
        }
        table.add("units.parse_bytes") { _, x throws(BuiltinFailure) in
            let text = try x.text(0)
            return .number(try supported { () throws(SupportError) in try Units.parseBytes(text) })
        }
        table.add("uuid.rfc4122") { context, x throws(BuiltinFailure) in
            if let known = context.memory.uuids[x[0]] { return known }
            var generator = SystemRandomNumberGenerator()
            let bytes = (0..<16).map { _ in UInt8.random(in: 0...255, using: &generator) }
            let made = Value.string(UUIDText.v4(randomBytes: bytes))
            context.memory.uuids[x[0]] = made
            return made
        }
        table.add("uuid.parse") { _, x throws(BuiltinFailure) in
            guard let fields = UUIDText.parse(try x.text(0)) else { return .undefined }
            var pairs: [(Value, Value)] = [
                (.string("version"), .int(Int64(fields.version))), (.string("variant"), .string(fields.variant)),
            ]
            func add(_ name: String, _ value: Value?) {
                if let value { pairs.append((.string(name), value)) }
            }
            add("time", fields.time.map { .int($0) })
            add("nodeid", fields.nodeID.map { .string($0) })
            add("clocksequence", fields.clockSequence.map { .int(Int64($0)) })
            add("macvariables", fields.macVariables.map { .string($0) })
            add("id", fields.id.map { .int(Int64($0)) })
            add("domain", fields.domain.map { .string($0) })
            return .object(ObjectBox(unsorted: pairs))
        }
        table.add("rand.intn") { context, x throws(BuiltinFailure) in
            let key = Value.array([x[0], x[1]])
            _ = try x.string(0)
            let limit = try x.integer(1)
            if limit == 0 { return .int(0) }
            if let known = context.memory.random[key] { return known }
            let made = Value.int(
                Int64.random(in: 0..<Int64(limit.magnitude > UInt(Int32.max) ? Int.max / 4 : abs(limit))))
            context.memory.random[key] = made
            return made
        }
        table.add("trace") { _, x throws(BuiltinFailure) in
            _ = try x.string(0)
            return .bool(true)
        }
        table.add("print") { context, x throws(BuiltinFailure) in .bool(true) }
        table.add("internal.print") { context, x throws(BuiltinFailure) in
            var line = ""
            for (index, part) in try x.array(0).enumerated() {
                if index > 0 { line += " " }
                guard case .set(let box) = part else { continue }
                if let value = box.items.first { line += try context.text(value) } else { line += "<undefined>" }
            }
            if context.memory.printed.count < 10_000 {
                try context.reserve(line.utf8.count)
                context.memory.printed.append(line)
            }
            return .bool(true)
        }
        table.add("internal.test_case") { _, _ throws(BuiltinFailure) in .bool(true) }
    }
}

extension Context {
    /// The time of this evaluation: the clock is read once.
    func now() -> Int64 {
        if let now = memory.now { return now }
        let now = WallClock.nanoseconds()
        memory.now = now
        return now
    }
}
