import AiboxWire

/// One packet of gVisor's remote sink: a header, and a point in protobuf
/// (github.com/google/gvisor, pkg/sentry/seccheck: sinks/remote/wire, points/*.proto).
///
/// It is made by the sentry, which runs what the sandbox runs: it is read as what an adversary may have written.
struct TraceMessage: Equatable {
    /// How many points the sentry could not hand over so far; wraps around.
    var dropped: UInt32
    var point: Point

    enum Point: Equatable {
        /// The container's first program.
        case start(Process)
        /// A program was loaded in the place of another.
        case execve(Process)
        /// A process ended; the status is as wait(2) tells it.
        case exit(pid: Int32, status: Int32)
        /// A kind that was not asked for.
        case other(UInt16)
    }

    struct Process: Equatable {
        var pid: Int32 = 0
        /// The file that was loaded; of the first program the first argument.
        var program: [UInt8] = []
        /// The arguments as far as they are kept.
        var arguments: [[UInt8]] = []
        /// How many more there were.
        var furtherArguments = 0
        /// Whether one of the texts kept was cut.
        var isCut = false
        var folder: [UInt8] = []
        var user: UInt32?
    }

    /// Bytes of a packet that are read; a unix socket's buffer holds less (unix(7), SO_SNDBUF).
    static let limit = 256 << 10
    static let keptArguments = 64
    static let keptBytes = 4096

    struct Malformed: Error {}

    init(_ packet: [UInt8]) throws(Malformed) {
        // Little-endian: 16 bits size of the header, 16 bits kind, 32 bits dropped. A newer header may be longer.
        guard packet.count >= 8, case let size = Int(packet[0]) | Int(packet[1]) << 8, size >= 8, size <= packet.count
        else { throw Malformed() }
        dropped = packet[4..<8].reversed().reduce(0) { $0 << 8 | UInt32($1) }
        let kind = UInt16(packet[2]) | UInt16(packet[3]) << 8
        do throws(ProtobufFields.Malformed) {
            switch kind {
            case 1: point = .start(try Self.process(packet[size...], program: nil, folder: 3, arguments: 4))
            case 3: point = .execve(try Self.process(packet[size...], program: 2, folder: nil, arguments: 3))
            case 4: point = try Self.exit(packet[size...])
            default: point = .other(kind)
            }
        } catch { throw Malformed() }
    }

    /// - Parameters: the numbers of the fields; nil where the message has none.
    private static func process(
        _ bytes: ArraySlice<UInt8>, program: UInt64?, folder: UInt64?, arguments: UInt64
    ) throws(ProtobufFields.Malformed) -> Process {
        var process = Process()
        var room = keptBytes
        func kept(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
            let part = bytes.prefix(room)
            room -= part.count
            if part.count < bytes.count { process.isCut = true }
            return Array(part)
        }
        var fields = ProtobufFields(bytes)
        while let (number, value) = try fields.next() {
            guard case .bytes(let bytes) = value else { continue }
            switch number {
            case 1: try context(bytes, &process)
            case program: process.program = Array(bytes.prefix(keptBytes))
            case folder where process.folder.isEmpty: process.folder = Array(bytes.prefix(keptBytes))
            case arguments:
                if process.arguments.count < keptArguments, room > 0 {
                    process.arguments.append(kept(bytes))
                } else {
                    process.furtherArguments += 1
                }
            default: break
            }
        }
        if program == nil { process.program = process.arguments.first ?? [] }
        return process
    }

    /// gvisor.common.ContextData.
    private static func context(
        _ bytes: ArraySlice<UInt8>, _ process: inout Process
    ) throws(ProtobufFields.Malformed) {
        var fields = ProtobufFields(bytes)
        while let (number, value) = try fields.next() {
            switch (number, value) {
            case (4, .number(let pid)): process.pid = Int32(truncatingIfNeeded: pid)
            case (7, .bytes(let credentials)):
                var fields = ProtobufFields(credentials)
                while let (number, value) = try fields.next() {
                    if number == 2, case .number(let user) = value { process.user = UInt32(truncatingIfNeeded: user) }
                }
            case (8, .bytes(let folder)): process.folder = Array(folder.prefix(keptBytes))
            default: break
            }
        }
    }

    private static func exit(_ bytes: ArraySlice<UInt8>) throws(ProtobufFields.Malformed) -> Point {
        var process = Process()
        var status: Int32 = 0
        var fields = ProtobufFields(bytes)
        while let (number, value) = try fields.next() {
            switch (number, value) {
            case (1, .bytes(let bytes)): try context(bytes, &process)
            case (2, .number(let number)): status = Int32(truncatingIfNeeded: number)
            default: break
            }
        }
        return .exit(pid: process.pid, status: status)
    }
}

/// The two sides tell each other their version first (points/common.proto, Handshake).
enum TraceHandshake {
    /// Version 1: the header above.
    static let answer: [UInt8] = [0x08, 0x01]
    static let limit = 10_240

    /// True if the peer's greeting is one that this side understands.
    static func accepts(_ packet: [UInt8]) -> Bool {
        var fields = ProtobufFields(packet[...])
        while let field = try? fields.next() {
            if field.number == 1, case .number(let version) = field.value { return version >= 1 }
        }
        return false
    }
}
