/// Takes the members of a message one by one, strictly: a missing, mistyped or unknown member is an error.
public struct WireFields {
    private var object: JSONObject
    private let message: String

    /// - Parameter message: the message's name, for errors.
    public init(_ json: JSONValue, in message: String) throws(WireError) {
        guard case .object(let object) = json else { throw Self.error(message, "it is not an object") }
        self.object = object
        self.message = message
    }

    /// Takes a member whatever it is, or nil.
    public mutating func take(_ name: String) -> JSONValue? {
        let value = object[name]
        object[name] = nil
        return value
    }

    public mutating func string(_ name: String) throws(WireError) -> String {
        guard case .string(let text) = take(name) else { throw error("\(name) is not a string") }
        return text
    }

    public mutating func optionalString(_ name: String) throws(WireError) -> String? {
        object[name] == nil ? nil : try string(name)
    }

    public mutating func bool(_ name: String) throws(WireError) -> Bool {
        guard case .bool(let value) = take(name) else { throw error("\(name) is neither true nor false") }
        return value
    }

    /// An integer that the wanted type can hold.
    public mutating func integer<Number: FixedWidthInteger>(_ name: String) throws(WireError) -> Number {
        guard case .integer(let wide) = take(name), let value = Number(exactly: wide) else {
            throw error("\(name) is not an integer of \(Number.min)...\(Number.max)")
        }
        return value
    }

    public mutating func optionalInteger<Number: FixedWidthInteger>(_ name: String) throws(WireError) -> Number? {
        object[name] == nil ? nil : try integer(name)
    }

    public mutating func list(_ name: String) throws(WireError) -> [JSONValue] {
        guard case .array(let elements) = take(name) else { throw error("\(name) is not a list") }
        return elements
    }

    public mutating func optionalList(_ name: String) throws(WireError) -> [JSONValue]? {
        object[name] == nil ? nil : try list(name)
    }

    public mutating func texts(_ name: String) throws(WireError) -> [String] {
        var texts: [String] = []
        for element in try list(name) {
            guard case .string(let text) = element else { throw error("\(name) is not a list of strings") }
            texts.append(text)
        }
        return texts
    }

    public mutating func optionalTexts(_ name: String) throws(WireError) -> [String]? {
        object[name] == nil ? nil : try texts(name)
    }

    public mutating func optionalBool(_ name: String) throws(WireError) -> Bool? {
        object[name] == nil ? nil : try bool(name)
    }

    /// Refuses members that nobody took.
    public func finish() throws(WireError) {
        if let left = object.members.first { throw error("unknown member \(left.name)") }
    }

    /// An error about this message.
    public func error(_ why: String) -> WireError { Self.error(message, why) }

    private static func error(_ message: String, _ why: String) -> WireError {
        WireError(code: "usage", what: "cannot read the message \(message)", why: why)
    }
}
