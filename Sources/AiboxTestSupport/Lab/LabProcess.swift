public import AiboxSystem
import Glibc

/// A program of the lab that runs until this object goes, or is stopped.
public final class LabProcess: Sendable {
    public let child: ChildProcess
    /// What followed `ready` on its line.
    public let answer: String
    private let leash: Descriptor

    /// - Parameters:
    ///   - ready: the first word on standard output that tells that it serves; nil does not wait.
    ///   - errors: the descriptor that standard error goes to.
    public init(_ command: Command, ready: String?, errors: Int32 = 2) throws(AiboxError) {
        let input = try Pipe()
        let output = try Pipe()
        child = try ChildProcess.start(
            command, descriptors: [input.read.number, ready == nil ? errors : output.write.number, errors],
            options: .newGroup)
        leash = input.write
        input.read.close()
        output.write.close()
        if let ready {
            let line = try output.read.readLine()
            guard line == ready || line.hasPrefix(ready + " ") else {
                throw AiboxError(.failed, "\(command.executable) did not start", why: "it said \"\(line)\"")
            }
            answer = String(line.dropFirst(ready.count + 1))
        } else {
            answer = ""
        }
    }

    deinit { stop() }

    /// Ends the program and what it started.
    public func stop() {
        leash.close()
        guard (try? child.poll()) == nil else { return }
        kill(-child.pid, SIGKILL)
        _ = try? child.wait()
    }
}

extension Descriptor {
    /// One line without its end; blocks until it is there or the other side is gone.
    public func readLine(limit: Int = 4096) throws(AiboxError) -> String {
        var bytes: [UInt8] = []
        var byte: UInt8 = 0
        while bytes.count < limit {
            let count = try retrying("cannot read a line") { read(number, &byte, 1) }
            if count == 0 || byte == UInt8(ascii: "\n") { break }
            bytes.append(byte)
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
