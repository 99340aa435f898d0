/// An argument of `sprintf`, in the Go type OPA hands to `fmt.Sprintf`.
enum FormatArgument: Sendable, Equatable {
    case int(Int64)
    case big(BigInt)
    case double(Double)
    /// Strings, and every other value (booleans, null, composites) as its Rego text.
    case string(String)

    /// A number as OPA passes it: integers as such, text with a point as a double, anything else (`1e6`, out of range) as text.
    init(_ number: Number) {
        switch number {
        case .int(let value):
            self = .int(value)
        case .decimal(let value):
            if let whole = FormatArgument.wholeNumber(value) {
                self = .int(whole)
            } else if let big = value.plainInteger {
                self = big.int64.map { .int($0) } ?? .big(big)
            } else if value.text.utf8.contains(UInt8(ascii: ".")), value.double.isFinite {
                self = .double(value.double)
            } else {
                self = .string(value.text)
            }
        }
    }

    /// `12.000` counts as an integer, `1.2e1` does not.
    private static func wholeNumber(_ value: DecimalNumber) -> Int64? {
        guard let point = value.text.utf8.firstIndex(of: UInt8(ascii: ".")) else { return nil }
        let tail = value.text.utf8[point...].dropFirst()
        return tail.allSatisfy { $0 == UInt8(ascii: "0") } ? value.int64 : nil
    }

    var typeName: String {
        switch self {
        case .int: "int64"
        case .big: "*big.Int"
        case .double: "float64"
        case .string: "string"
        }
    }
}
