import AiboxSystem
import AiboxWire
import CLinux
import Glibc
import NIOCore
import NIOPosix

/// The gateway daemon of one sandbox, from settings to end.
///
/// Descriptors at start: 0 settings as JSON, 1 and 2 the log file, 3 the readiness pipe, 4 the leash: a pipe whose other
/// end the starting command keeps until the container runs.
public enum GatewayDaemon {
    private static let readinessDescriptor: Int32 = 3
    private static let leashDescriptor: Int32 = 4

    /// Serves to the end.
    ///
    /// - Returns: the exit status: 0 after an orderly end, 1 if the sandbox lost its gateway.
    public static func run() -> Int32 {
        let readiness = Descriptor(readinessDescriptor)
        let leash = Descriptor(leashDescriptor)
        signal(SIGPIPE, SIG_IGN)
        // A file that may grow no further is an error like a full disk, for the audit log's rule to answer.
        signal(SIGXFSZ, SIG_IGN)
        umask(0o077)
        do throws(AiboxError) {
            // Before anything is read. The rest follows with what was read (`LockDown`).
            try ProcessLockDown.closeDaemon()
            // A connection of the sandbox takes two descriptors; many systems begin with 1024.
            try check(aibox_raise_descriptor_limit(16_384), "cannot raise the limit of open files")
            let signals = try Supervisor.signals()
            let settings = try readSettings()
            let log = GatewayLog(limit: settings.logLimit)
            let folder = try RunFolder.claim(settings.runFolder)
            defer { folder.remove(log) }
            let gateway = try Gateway.start(settings, folder, leash: leash, signals: signals, log: log)
            log.info("ready", ["sandbox": settings.sandbox, "ssh": "127.0.0.1:\(gateway.ready.sshPort)"])
            report(.ready(gateway.ready), on: readiness)
            return gateway.serve()
        } catch {
            GatewayLog(limit: .max).error("start failed", ["reason": "\(error)"])
            report(.failed(WireError(error)), on: readiness)
            return 1
        }
    }

    private static func readSettings() throws(AiboxError) -> GatewaySettings {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65536)
        while bytes.count <= Wire.settingsLimit {
            let count = try retrying("cannot read the gateway's settings") { read(STDIN_FILENO, &chunk, chunk.count) }
            if count == 0 { break }
            bytes += chunk[..<count]
        }
        // Nobody else, the holder say, shall get the pipe.
        let nothing = Descriptor(try retrying("cannot open /dev/null") { open("/dev/null", O_RDONLY | O_CLOEXEC) })
        try retrying("cannot close the settings") { dup2(nothing.number, STDIN_FILENO) }
        do {
            return try GatewaySettings(json: try JSONParser.parse(bytes))
        } catch {
            throw AiboxError(.usage, "cannot read the gateway's settings", why: "\(error)")
        }
    }

    private static func report(_ report: GatewayStartReport, on pipe: Descriptor) {
        let bytes = report.json.bytes + [UInt8(ascii: "\n")]
        try? File.writeAll(bytes, to: pipe, "the readiness pipe")
        pipe.close()
    }
}
