/// The operands of a built-in call, checked as they are taken; positions count from 0, messages from 1.
typealias Operands = UnsafePointer<Value>

extension UnsafePointer<Value> {
    @inline(__always)
    func string(_ index: Int) throws(BuiltinFailure) -> StringBox {
        if case .string(let box) = self[index] { return box }
        throw BuiltinFailure.type(index + 1, "string", self[index])
    }

    func text(_ index: Int) throws(BuiltinFailure) -> String { try string(index).string }

    @inline(__always)
    func number(_ index: Int) throws(BuiltinFailure) -> Number {
        if let number = self[index].asNumber { return number }
        throw BuiltinFailure.type(index + 1, "number", self[index])
    }

    func integer(_ index: Int) throws(BuiltinFailure) -> Int {
        let number = try number(index)
        if let value = number.int64, !number.hasExponent { return Int(value) }
        throw BuiltinFailure(
            kind: .type, message: "operand \(index + 1) must be integer number but got floating-point number")
    }

    @inline(__always)
    func array(_ index: Int) throws(BuiltinFailure) -> [Value] {
        if case .array(let box) = self[index] { return box.items }
        throw BuiltinFailure.type(index + 1, "array", self[index])
    }

    func set(_ index: Int) throws(BuiltinFailure) -> SetBox {
        if case .set(let box) = self[index] { return box }
        throw BuiltinFailure.type(index + 1, "set", self[index])
    }

    func object(_ index: Int) throws(BuiltinFailure) -> ObjectBox {
        if case .object(let box) = self[index] { return box }
        throw BuiltinFailure.type(index + 1, "object", self[index])
    }

    /// The items of an array or set.
    func items(_ index: Int, _ expected: String = "one of {set, array}") throws(BuiltinFailure) -> [Value] {
        switch self[index] {
        case .array(let box): return box.items
        case .set(let box): return box.items
        default: throw BuiltinFailure.type(index + 1, expected, self[index])
        }
    }

    /// The strings of an array or set.
    func strings(_ index: Int) throws(BuiltinFailure) -> [String] {
        var result: [String] = []
        for item in try items(index) {
            guard case .string(let box) = item else {
                throw BuiltinFailure(
                    kind: .type,
                    message: "operand \(index + 1) must be \(self[index].typeName) of strings but got "
                        + "\(self[index].typeName) containing \(item.typeName)")
            }
            result.append(box.string)
        }
        return result
    }
}

/// Runs code of the support libraries, turning its errors into a built-in's.
@inline(__always)
func supported<R>(_ body: () throws(SupportError) -> R) throws(BuiltinFailure) -> R {
    do throws(SupportError) {
        return try body()
    } catch {
        throw BuiltinFailure(error)
    }
}

extension Context {
    /// Fails if a value of so many bytes would exceed the memory budget.
    func reserve(_ bytes: Int) throws(BuiltinFailure) {
        guard bytes < 1 << 40, charge(bytes) else {
            throw BuiltinFailure(kind: .limit, message: "evaluation used too much memory", complete: true)
        }
    }

    /// What `sprintf` and `print` show of a value, counted; a string stands for itself.
    func text(_ value: Value) throws(BuiltinFailure) -> String {
        let text = value.plainText
        try reserve(text.utf8.count)
        if text.utf8.count > Value.limit {
            throw BuiltinFailure(kind: .limit, message: "evaluation made a text that is too large", complete: true)
        }
        return text
    }

    /// A string result, counted.
    func string(_ text: String) throws(BuiltinFailure) -> Value {
        if text.utf8.count > 4096 { try reserve(text.utf8.count) }
        return .string(text)
    }
}
