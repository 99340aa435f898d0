/// Reading a value of which one expects a shape; nil where it has another.
extension JSONValue {
    /// The member of that name, if this is an object that has it.
    public subscript(name: String) -> JSONValue? {
        if case .object(let object) = self { return object[name] }
        return nil
    }

    public var stringValue: String? {
        if case .string(let value) = self { return value }
        return nil
    }

    public var wholeNumber: Int64? {
        if case .integer(let value) = self { return value }
        return nil
    }

    public var truth: Bool? {
        if case .bool(let value) = self { return value }
        return nil
    }

    public var elements: [JSONValue]? {
        if case .array(let value) = self { return value }
        return nil
    }
}
