import AiboxSystem
import Glibc

// Measures the audit log on the disk that holds FOLDER; prints one JSON object a line, for scripts/bench.
//
//     audit-benchmark FOLDER [EVENTS]
//     audit-benchmark fill FOLDER EVENTS (more events for a log that is there)
//     audit-benchmark verify FOLDER      (the part that runs in a process of its own, for its memory)

let arguments = Array(CommandLine.arguments.dropFirst())
do {
    switch (arguments.first, arguments.count) {
    case ("verify", 2): try LogBenchmark.verify(arguments[1])
    case ("fill", 3):
        guard let events = Int(arguments[2]) else { exit(64) }
        try LogBenchmark(folder: Path.parent(arguments[1]), events: events).fill(arguments[1])
    case (let folder?, 1...2):
        let events = arguments.count == 2 ? Int(arguments[1]) : 1_000_000
        guard let events, events >= 10_000 else { exit(64) }
        try LogBenchmark(folder: folder, events: events).run()
    default: exit(64)
    }
} catch {
    let text = "audit-benchmark: \(error)\n"
    _ = write(STDERR_FILENO, text, text.utf8.count)
    exit(1)
}
