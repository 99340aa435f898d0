/// Go's `fmt.Sprintf`: verbs, flags, width, precision, argument indexes and the `%!verb(type=value)` error forms.
enum GoFormat {
    /// Longer results are refused.
    static let maxBytes = 16 << 20

    static func sprintf(_ format: String, _ arguments: [FormatArgument]) throws(SupportError) -> String {
        let output: [UInt8]? = format.withBytes { bytes in
            var directive = FormatScanner(format: bytes, arguments: arguments)
            return directive.run() ? directive.printer.output : nil
        }
        guard let output else { throw .limit("formatted text is too large") }
        return GoText.string(repairing: output)
    }
}

/// Walks a format string and hands each directive to the printer.
private struct FormatScanner {
    let format: Bytes
    let arguments: [FormatArgument]
    var printer = FormatPrinter()
    private var position = 0
    private var argument = 0
    private var goodIndex = true
    private var reordered = false

    init(format: Bytes, arguments: [FormatArgument]) {
        self.format = format
        self.arguments = arguments
    }

    /// False when the result grows too large.
    mutating func run() -> Bool {
        while position < format.count {
            let start = position
            while position < format.count, format[position] != UInt8(ascii: "%") { position += 1 }
            printer.output += format[start..<position]
            if position >= format.count { break }
            position += 1
            directive()
            if printer.output.count > GoFormat.maxBytes { return false }
        }
        if !reordered, argument < arguments.count {
            printer.clear()
            printer.write("%!(EXTRA ")
            for index in argument..<arguments.count {
                if index > argument { printer.write(", ") }
                printer.write(arguments[index].typeName)
                printer.write("=")
                printer.print(arguments[index], verb: UInt32(UInt8(ascii: "v")))
            }
            printer.write(")")
        }
        return printer.output.count <= GoFormat.maxBytes
    }

    private mutating func directive() {
        printer.clear()
        goodIndex = true
        readFlags()
        var afterIndex = readIndex()
        if readStar() {
            if let width = intArgument() {
                printer.width = abs(width)
                if width < 0 {
                    printer.minus = true
                    printer.zero = false
                }
            } else {
                printer.write("%!(BADWIDTH)")
            }
            afterIndex = false
        } else {
            printer.width = readNumber()
            if afterIndex, printer.width != nil { goodIndex = false }
        }
        if position < format.count, format[position] == UInt8(ascii: ".") {
            position += 1
            if afterIndex { goodIndex = false }
            afterIndex = readIndex()
            if readStar() {
                if let precision = intArgument(), precision >= 0 {
                    printer.precision = precision
                } else {
                    printer.write("%!(BADPREC)")
                }
                afterIndex = false
            } else {
                printer.precision = readNumber() ?? 0
            }
        }
        if !afterIndex { _ = readIndex() }
        guard position < format.count else {
            printer.write("%!(NOVERB)")
            return
        }
        let (verb, width) = GoRune.decode(format, position)
        position += width
        if verb == UInt32(UInt8(ascii: "%")) {
            printer.write("%")
        } else if !goodIndex {
            printer.writeError(verb, "(BADINDEX)")
        } else if argument >= arguments.count {
            printer.writeError(verb, "(MISSING)")
        } else {
            if verb == UInt32(UInt8(ascii: "v")) || verb == UInt32(UInt8(ascii: "w")) { printer.useGoSyntaxFlags() }
            printer.print(arguments[argument], verb: verb)
            argument += 1
        }
    }

    private mutating func readFlags() {
        while position < format.count {
            switch format[position] {
            case UInt8(ascii: "#"): printer.sharp = true
            case UInt8(ascii: "0"): printer.zero = true
            case UInt8(ascii: "+"): printer.plus = true
            case UInt8(ascii: "-"): printer.minus = true
            case UInt8(ascii: " "): printer.space = true
            default: return
            }
            position += 1
        }
    }

    private mutating func readStar() -> Bool {
        guard position < format.count, format[position] == UInt8(ascii: "*") else { return false }
        position += 1
        return true
    }

    /// Digits; nil when there are none, and the rest of the format is dropped over a million, as in Go.
    private mutating func readNumber(upTo end: Int? = nil) -> Int? {
        let end = end ?? format.count
        var value: Int?
        while position < end, let digit = BigInt.digit(format[position]), digit < 10 {
            if value ?? 0 > 1_000_000 {
                position = end
                return nil
            }
            value = (value ?? 0) * 10 + digit
            position += 1
        }
        return value
    }

    /// `[n]`; true when one was read whole, even if it names no argument.
    private mutating func readIndex() -> Bool {
        guard position < format.count, format[position] == UInt8(ascii: "[") else { return false }
        reordered = true
        let start = position
        guard format.count - start >= 3, let close = format[(start + 1)...].firstIndex(of: UInt8(ascii: "]")) else {
            goodIndex = false
            position = start + 1
            return false
        }
        position = start + 1
        let number = readNumber(upTo: close)
        let isWhole = number != nil && position == close
        position = close + 1
        guard isWhole, let number else {
            goodIndex = false
            return false
        }
        if number >= 1, number <= arguments.count {
            argument = number - 1
        } else {
            goodIndex = false
        }
        return true
    }

    private mutating func intArgument() -> Int? {
        guard argument < arguments.count else { return nil }
        argument += 1
        guard case .int(let value) = arguments[argument - 1], value.magnitude <= 1_000_000 else { return nil }
        return Int(value)
    }
}
