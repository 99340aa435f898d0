/// Finds the end of a message body in the bytes that pass, so that what follows is read as a head.
///
/// Chunked bodies (RFC 9112 section 7.1) are taken strictly: no extensions, no trailer fields, CRLF only.
public struct HTTPBodyTracker: Sendable {
    public struct Progress: Sendable, Equatable {
        /// Bytes of the chunk that belong to the body, framing included.
        public var consumed: Int
        /// The body has ended.
        public var finished: Bool
    }

    private enum State {
        case finished
        case remaining(Int64)
        case untilClose
        case size(digits: Int, value: Int64)
        case sizeLineFeed(Int64)
        case data(Int64)
        case dataReturn
        case dataLineFeed
        case endReturn
        case endLineFeed
    }

    private var state: State
    /// Bytes of content, framing not counted.
    public private(set) var contentBytes: Int64 = 0

    public init(_ body: HTTPRequestHead.Body) {
        switch body {
        case .none, .length(0): state = .finished
        case .length(let count): state = .remaining(count)
        case .chunked: state = .size(digits: 0, value: 0)
        }
    }

    /// A body that ends with the connection.
    public static var untilClose: HTTPBodyTracker {
        var tracker = HTTPBodyTracker(.none)
        tracker.state = .untilClose
        return tracker
    }

    public var isFinished: Bool {
        if case .finished = state { true } else { false }
    }

    public mutating func feed(_ bytes: ArraySlice<UInt8>) throws(HTTPRefusal) -> Progress {
        var index = bytes.startIndex
        while index < bytes.endIndex, !isFinished {
            index += try step(bytes[index...])
        }
        return Progress(consumed: index - bytes.startIndex, finished: isFinished)
    }

    /// Takes at least one byte.
    private mutating func step(_ bytes: ArraySlice<UInt8>) throws(HTTPRefusal) -> Int {
        let byte = bytes[bytes.startIndex]
        switch state {
        case .finished: return 0
        case .untilClose:
            contentBytes += Int64(bytes.count)
            return bytes.count
        case .remaining(let left):
            let taken = Int64(clamping: min(Int64(bytes.count), left))
            contentBytes += taken
            state = left == taken ? .finished : .remaining(left - taken)
            return Int(taken)
        case .data(let left):
            let taken = min(Int64(bytes.count), left)
            contentBytes += taken
            state = left == taken ? .dataReturn : .data(left - taken)
            return Int(taken)
        case .size(let digits, let value):
            if let digit = byte.hexDigitValue {
                guard digits < 15 else { throw .chunk }
                state = .size(digits: digits + 1, value: value << 4 | Int64(digit))
            } else {
                guard byte == 0x0D, digits > 0 else { throw .chunk }
                state = .sizeLineFeed(value)
            }
        case .sizeLineFeed(let value):
            guard byte == 0x0A else { throw .chunk }
            state = value == 0 ? .endReturn : .data(value)
        case .dataReturn:
            guard byte == 0x0D else { throw .chunk }
            state = .dataLineFeed
        case .dataLineFeed:
            guard byte == 0x0A else { throw .chunk }
            state = .size(digits: 0, value: 0)
        case .endReturn:
            guard byte == 0x0D else { throw .trailer }
            state = .endLineFeed
        case .endLineFeed:
            guard byte == 0x0A else { throw .chunk }
            state = .finished
        }
        return 1
    }
}
