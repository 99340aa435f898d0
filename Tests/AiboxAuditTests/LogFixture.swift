import AiboxCrypto
import AiboxSystem
import AiboxTestSupport
import AiboxWire
import Testing

@testable import AiboxAudit

/// A log in a folder of its own, and the ways to look at it and to damage it.
struct LogFixture {
    let folder: TemporaryFolder
    var log: String { folder.path + "/audit" }
    var place: String { folder.path + "/second" }
    var files: LogFolder { LogFolder(path: log) }

    static let context = AuditContext(
        source: .gateway, session: "s1", sandbox: "box", user: "dev", host: "host.example", policy: "00ff")

    init() throws(AiboxError) { folder = try TemporaryFolder(prefix: "aibox-audit", inMemory: true) }

    func options(place: Bool = false, segmentBytes: Int = 64 << 20) -> AuditLog.Options {
        var options = AuditLog.Options()
        options.secondPlaces = place ? [SecondPlace(folder: self.place)] : []
        options.segmentBytes = segmentBytes
        return options
    }

    func open(_ options: AuditLog.Options? = nil) throws(AiboxError) -> AuditLog {
        try AuditLog.open(folder: log, context: Self.context, options: options ?? self.options())
    }

    static func event(_ number: Int) -> AuditEvent {
        AuditEvent(
            .networkDeny, subject: "host\(number).example:443", outcome: .denied,
            details: ["host": .string("host\(number).example"), "port": 443, "rule": "default-deny"])
    }

    /// Opens the log, appends events one by one, and closes it.
    func write(_ numbers: Range<Int>, _ options: AuditLog.Options? = nil) throws(AiboxError) {
        let log = try open(options)
        for number in numbers { try log.append(Self.event(number)) }
        try log.close()
    }

    func verify(key: String? = nil, place: Bool = false, checkpoint: String? = nil) throws(AiboxError)
        -> AuditVerification
    {
        try AuditVerifier(
            folder: log, keyFile: key, secondPlaces: place ? [self.place] : [], checkpointFile: checkpoint
        ).run()
    }

    /// Without the auditor's key: what anybody can see.
    func verifyPublicly(place: Bool = false) throws(AiboxError) -> AuditVerification {
        try verify(key: files.identity, place: place)
    }

    // MARK: Lines

    func bytes(_ segment: UInt64 = 1) throws(AiboxError) -> [UInt8] {
        try File.read(files.path(segment: segment), limit: 1 << 30)
    }

    func set(_ bytes: [UInt8], segment: UInt64 = 1) throws(AiboxError) {
        try File.replace(files.path(segment: segment), with: bytes)
    }

    /// The lines of a file, each without its newline.
    func lines(_ segment: UInt64 = 1) throws(AiboxError) -> [[UInt8]] {
        try bytes(segment).split(separator: 0x0a).map(Array.init)
    }

    func set(_ lines: [[UInt8]], segment: UInt64 = 1) throws(AiboxError) {
        try set(Array(lines.map { $0 + [0x0a] }.joined()), segment: segment)
    }

    func copy(to name: String) throws(AiboxError) {
        let result = try SystemCommandRunner().run(Command("cp", ["-a", log, folder.path + "/" + name]))
        if !result.succeeded { throw AiboxError(.failed, result.errorText) }
    }

    func restore(from name: String) throws(AiboxError) {
        try Folder.removeTree(log)
        let result = try SystemCommandRunner().run(Command("cp", ["-a", folder.path + "/" + name, log]))
        if !result.succeeded { throw AiboxError(.failed, result.errorText) }
    }
}
