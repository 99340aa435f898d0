// Appends to an audit log until it is killed, and says on standard output which events are on the disk: what the
// tests of crashes and full disks run and kill.
//
//     AiboxAuditWriter FOLDER PLACE|- THREADS COUNT

import AiboxAudit
import AiboxSystem
import AiboxWire
import Glibc

let arguments = CommandLine.arguments
guard arguments.count == 5, let threads = Int(arguments[3]), let count = Int(arguments[4]) else { exit(64) }
// Past RLIMIT_FSIZE a write is to fail as on a full disk, not to kill.
signal(SIGXFSZ, SIG_IGN)

var options = AuditLog.Options()
options.checkpointEvents = 7
options.segmentBytes = 20_000
if arguments[2] != "-" { options.secondPlaces = [SecondPlace(folder: arguments[2])] }

func say(_ line: String) { _ = (line + "\n").withCString { write(STDOUT_FILENO, $0, strlen($0)) } }

do {
    let log = try AuditLog.open(
        folder: arguments[1], context: AuditContext(source: .cli, session: "\(getpid())"), options: options)
    await withTaskGroup(of: Void.self) { group in
        for thread in 0..<threads {
            group.addTask {
                for number in 0..<count {
                    do throws(AiboxError) {
                        let event = AuditEvent(
                            .toolInvoke, subject: "\(getpid()).\(thread).\(number)", details: ["argv": ["true"]])
                        say("\(try await log.record(event))")
                    } catch {
                        say("error \(error)")
                        return
                    }
                }
            }
        }
    }
    try log.close()
} catch {
    say("error \(error)")
    exit(1)
}
