import AiboxNetwork
import NIOCore

/// Takes the framing off a body and leaves its content, without copying it (RFC 9112 sections 6 and 7).
struct ContentReader: Sendable {
    enum Failure: Error { case chunk }

    private enum State: Equatable {
        case finished
        case remaining(Int64)
        case untilClose
        case size(digits: Int, value: Int64)
        case extensions(value: Int64, length: Int)
        case sizeLineFeed(Int64)
        case data(Int64)
        case dataReturn
        case dataLineFeed
        case trailer(line: Int, all: Int)
        case trailerLineFeed(line: Int, all: Int)
    }

    private var state: State
    /// Chunk extensions and trailers are skipped; refused otherwise.
    private let isLenient: Bool

    private static let slack = 8192

    /// - Parameter body: nil: it ends with the connection.
    init(_ body: HTTPRequestHead.Body?, isLenient: Bool) {
        self.isLenient = isLenient
        switch body {
        case nil: state = .untilClose
        case .some(.none), .length(0): state = .finished
        case .length(let count): state = .remaining(count)
        case .chunked: state = .size(digits: 0, value: 0)
        }
    }

    var isFinished: Bool { state == .finished }
    /// The end of the connection is the end of the body.
    var endsWithConnection: Bool { state == .untilClose }

    /// The next piece of content; nil where the bytes are used up, or the body has ended.
    mutating func next(_ bytes: inout ByteBuffer) throws(Failure) -> ByteBuffer? {
        while bytes.readableBytes > 0 {
            switch state {
            case .finished: return nil
            case .untilClose: return Self.take(bytes.readableBytes, of: &bytes)
            case .remaining(let left):
                let count = Int(min(left, Int64(bytes.readableBytes)))
                state = left == Int64(count) ? .finished : .remaining(left - Int64(count))
                return Self.take(count, of: &bytes)
            case .data(let left):
                let count = Int(min(left, Int64(bytes.readableBytes)))
                state = left == Int64(count) ? .dataReturn : .data(left - Int64(count))
                return Self.take(count, of: &bytes)
            default:
                guard let byte = bytes.readInteger(as: UInt8.self) else { return nil }
                try step(byte)
            }
        }
        bytes = ByteBuffer()
        return nil
    }

    /// What is used up is let go of: a connection that waits keeps no room for what it has read.
    private static func take(_ count: Int, of bytes: inout ByteBuffer) -> ByteBuffer? {
        let piece = bytes.readSlice(length: count)
        if bytes.readableBytes == 0 { bytes = ByteBuffer() }
        return piece
    }

    private mutating func step(_ byte: UInt8) throws(Failure) {
        switch state {
        case .size(let digits, let value):
            if let digit = Self.hexadecimal(byte) {
                guard digits < 15 else { throw .chunk }
                state = .size(digits: digits + 1, value: value << 4 | digit)
            } else if byte == 0x0D, digits > 0 {
                state = .sizeLineFeed(value)
            } else if isLenient, digits > 0, byte == UInt8(ascii: ";") || byte == 0x20 {
                state = .extensions(value: value, length: 0)
            } else {
                throw .chunk
            }
        case .extensions(let value, let length):
            guard byte != 0x0A, length < Self.slack else { throw .chunk }
            state = byte == 0x0D ? .sizeLineFeed(value) : .extensions(value: value, length: length + 1)
        case .sizeLineFeed(let value):
            guard byte == 0x0A else { throw .chunk }
            state = value == 0 ? .trailer(line: 0, all: 0) : .data(value)
        case .dataReturn:
            guard byte == 0x0D else { throw .chunk }
            state = .dataLineFeed
        case .dataLineFeed:
            guard byte == 0x0A else { throw .chunk }
            state = .size(digits: 0, value: 0)
        case .trailer(let line, let all):
            if byte == 0x0D {
                state = .trailerLineFeed(line: line, all: all)
            } else {
                guard isLenient, byte != 0x0A, all < Self.slack else { throw .chunk }
                state = .trailer(line: line + 1, all: all + 1)
            }
        case .trailerLineFeed(let line, let all):
            guard byte == 0x0A else { throw .chunk }
            state = line == 0 ? .finished : .trailer(line: 0, all: all + 2)
        case .finished, .remaining, .untilClose, .data: break
        }
    }

    private static func hexadecimal(_ byte: UInt8) -> Int64? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): Int64(byte - UInt8(ascii: "0"))
        case UInt8(ascii: "a")...UInt8(ascii: "f"): Int64(byte - UInt8(ascii: "a") + 10)
        case UInt8(ascii: "A")...UInt8(ascii: "F"): Int64(byte - UInt8(ascii: "A") + 10)
        default: nil
        }
    }
}
