import AiboxAudit
import AiboxSystem
import AiboxWire
import Dispatch
import Glibc
import Synchronization

/// Appending, verifying and searching at the sizes that docs/audit-log.md promises times for.
struct LogBenchmark {
    let folder: String
    let events: Int

    func run() throws(AiboxError) {
        try pacedAppends(perSecond: 10_000, seconds: 10)
        try sustainedAppends()
        let log = folder + "/million"
        try fill(log)
        try verification(log)
        try search(log)
    }

    // MARK: Appending

    private static func event(_ number: Int, session: String) -> AuditEvent {
        AuditEvent(
            .networkDeny, subject: "host\(number % 977).example:443", outcome: .denied,
            details: [
                "host": .string("host\(number % 977).example"), "port": 443, "protocol": "connect",
                "rule": "default-deny", "layer": "org", "reason": "the host is not on the allow-list",
            ],
            context: AuditContext(
                source: .gateway, session: session, sandbox: "aibox-dev-0123abcd", user: "dev", host: "host.example",
                policy: String(repeating: "0f", count: 32)))
    }

    private func open(_ name: String) throws(AiboxError) -> AuditLog {
        try AuditLog.open(folder: name, context: AuditContext(source: .gateway))
    }

    /// Events at a steady pace, each waited for on its own: how long from the call to the disk? Beside it, in turn, what the disk
    /// alone takes for as many bytes as a millisecond of events has: appended to a file, and over blocks that were written
    /// before, where no metadata has to follow. A disk has its moments: of three rounds the middle one counts.
    private func pacedAppends(perSecond: Int, seconds: Int) throws(AiboxError) {
        var (ours, appended, written): ([[Double]], [[Double]], [[Double]]) = ([], [], [])
        for round in 0..<3 {
            ours.append(try pacedTimes("/paced-\(round)", perSecond, seconds))
            appended.append(try bareTimes("/bare-\(round)", seconds: seconds / 2, isWritten: false))
            written.append(try bareTimes("/bare-written-\(round)", seconds: seconds / 2, isWritten: true))
        }
        for (what, rounds) in [
            ("append at 10,000 events/s", ours), ("a bare write and fdatasync of 10 lines, appended", appended),
            ("a bare write and fdatasync of 10 lines, over blocks written before", written),
        ] {
            let sorted = rounds.map { $0.sorted() }
            func middle(_ part: Double) -> Double {
                sorted.map { $0[Int(Double($0.count - 1) * part)] }.sorted()[1] * 1e3
            }
            report(
                what,
                [
                    ("p50_ms", middle(0.5)), ("p99_ms", middle(0.99)), ("max_ms", middle(1)),
                    ("worst_p99_ms", (sorted.map { $0[$0.count * 99 / 100] }.max() ?? 0) * 1e3),
                ])
        }
    }

    private func pacedTimes(_ name: String, _ perSecond: Int, _ seconds: Int) throws(AiboxError) -> [Double] {
        let log = try open(folder + name)
        let count = perSecond * seconds
        let times = Mutex<[Double]>([])
        let done = DispatchSemaphore(value: 0)
        let begin = ContinuousClock.now
        var sent = 0
        while sent < count {
            let due = min(count, Int((ContinuousClock.now - begin).inSeconds * Double(perSecond)))
            while sent < due {
                let start = ContinuousClock.now
                try log.append([Self.event(sent, session: "s")]) { _ in
                    let took = (ContinuousClock.now - start).inSeconds
                    times.withLock { $0.append(took) }
                    done.signal()
                }
                sent += 1
            }
            usleep(200)
        }
        for _ in 0..<count { done.wait() }
        let elapsed = (ContinuousClock.now - begin).inSeconds
        try log.close()
        guard elapsed < Double(seconds) * 1.1 else {
            throw AiboxError(.failed, "the log does not keep up", why: "\(count) events took \(elapsed) s")
        }
        return times.withLock { $0 }
    }

    private func bareTimes(_ name: String, seconds: Int, isWritten: Bool) throws(AiboxError) -> [Double] {
        let rounds = seconds * 1000
        let bytes = [UInt8](repeating: 0x78, count: 7000)
        let file = Descriptor(
            try retrying("cannot write") { Glibc.open(folder + name, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600) })
        if isWritten {
            try File.writeAll([UInt8](repeating: 0, count: rounds * bytes.count), to: file, "bare")
            try retrying("cannot sync") { fsync(file.number) }
            lseek(file.number, 0, SEEK_SET)
        }
        var times: [Double] = []
        let begin = ContinuousClock.now
        for round in 0..<rounds {
            while ContinuousClock.now < begin + .milliseconds(round) { usleep(100) }
            let start = ContinuousClock.now
            try File.writeAll(bytes, to: file, "bare")
            try retrying("cannot sync") { fdatasync(file.number) }
            times.append((ContinuousClock.now - start).inSeconds)
        }
        return times
    }

    /// As many threads as a busy gateway has, each waiting for its event before the next.
    private func sustainedAppends() throws(AiboxError) {
        let log = try open(folder + "/sustained")
        let threads = 64
        let each = 2000
        let begin = ContinuousClock.now
        let failures = Atomic(0)
        DispatchQueue.concurrentPerform(iterations: threads) { thread in
            for batch in 0..<(each / 20) {
                // A request to the sandbox's gateway makes a handful of events at once.
                let events = (0..<20).map { Self.event(thread * each + batch * 20 + $0, session: "s\(thread)") }
                do { try log.append(events) } catch { failures.add(1, ordering: .relaxed) }
            }
        }
        let elapsed = (ContinuousClock.now - begin).inSeconds
        try log.close()
        guard failures.load(ordering: .relaxed) == 0 else { throw AiboxError(.failed, "an append failed") }
        report("append, sustained", [("events_per_second", Double(threads * each) / elapsed)])
    }

    func fill(_ name: String) throws(AiboxError) {
        let log = try open(name)
        let begin = ContinuousClock.now
        for start in stride(from: 0, to: events, by: 4000) {
            // Sessions of about 500 events, several at once.
            try log.append(
                (start..<min(start + 4000, events)).map { number in
                    Self.event(number, session: "session-\(number / 4000)-\(number % 8)")
                })
        }
        try log.close()
        report(
            "append in batches of 4000",
            [("events_per_second", Double(events) / (ContinuousClock.now - begin).inSeconds)])
    }

    // MARK: Reading

    private func verification(_ log: String) throws(AiboxError) {
        guard let own = Path.real("/proc/self/exe") else { throw AiboxError(.failed, "cannot find this program") }
        let result = try SystemCommandRunner().run(
            Command("taskset", ["-c", "0", own, "verify", log]), timeout: .seconds(120))
        guard result.succeeded else { throw AiboxError(.failed, "verification failed", why: result.errorText) }
        print(result.text)
        let begin = ContinuousClock.now
        _ = try SystemCommandRunner().run(
            Command("sh", ["-c", "taskset -c 0 cat \"$0\"/events-* | sha256sum", log]), timeout: .seconds(120))
        report(
            "sha256sum of the same files",
            [("events_per_second", Double(events) / (ContinuousClock.now - begin).inSeconds)])
    }

    static func verify(_ log: String) throws(AiboxError) {
        for (name, key) in [("verify with every MAC", nil), ("verify with log.pub alone", log + "/log.pub")] {
            let begin = ContinuousClock.now
            let used = processorTime()
            let result = try AuditVerifier(folder: log, keyFile: key).run()
            let elapsed = (ContinuousClock.now - begin).inSeconds
            let spent = processorTime() - used
            if let finding = result.finding { throw AiboxError(.integrity, finding.explanation) }
            report(
                name,
                [
                    ("events_per_second", Double(result.events) / elapsed),
                    ("events_per_processor_second", Double(result.events) / spent),
                    ("events", Double(result.events)),
                    ("own_memory_mib", ownMemory()),
                ])
        }
    }

    /// What this process has had of a core, in seconds: the same whoever else is at work.
    private static func processorTime() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
    }

    /// The most memory that this process has had of its own, without the mapped files: VmHWM less the file pages.
    private static func ownMemory() -> Double {
        let status = (try? File.text("/proc/self/status", limit: 65_536)) ?? ""
        let line = status.split(separator: "\n").first { $0.hasPrefix("RssAnon:") }
        return line.flatMap { Double($0.filter(\.isNumber)) }.map { $0 / 1024 } ?? -1
    }

    /// What `aibox policy explain` and `aibox policy log` look for.
    private func decisions(_ log: String) throws(AiboxError) {
        var (single, newest): ([Double], [Double]) = ([], [])
        for round in 1...40 {
            let first = ContinuousClock.now
            guard let found = try AuditIndex(folder: log).event("\(events / 41 * round)"),
                try AuditIndex(folder: log).event(found.id)?.sequence == found.sequence
            else { throw AiboxError(.failed, "an event is not found") }
            single.append((ContinuousClock.now - first).inSeconds / 2)
            let second = ContinuousClock.now
            var query = AuditIndex.Query()
            query.sandbox = "aibox-dev-0123abcd"
            query.types = [.policyAllow, .policyDeny, .networkAllow, .networkDeny]
            guard try AuditIndex(folder: log).search(query).count == 1000 else {
                throw AiboxError(.failed, "decisions are not found")
            }
            newest.append((ContinuousClock.now - second).inSeconds)
        }
        report("a decision by its id, opening included", [("p50_ms", single.sorted()[20] * 1e3)])
        report("a sandbox's newest decisions", [("p50_ms", newest.sorted()[20] * 1e3)])
    }

    private func search(_ log: String) throws(AiboxError) {
        let begin = ContinuousClock.now
        _ = try AuditIndex(folder: log)
        report("build the index", [("seconds", (ContinuousClock.now - begin).inSeconds)])
        var times: [Double] = []
        for round in 0..<40 {
            let start = ContinuousClock.now
            var query = AuditIndex.Query()
            query.session = "session-\(round * 5 % (events / 4000))-\(round % 8)"
            let found = try AuditIndex(folder: log).search(query)
            times.append((ContinuousClock.now - start).inSeconds)
            guard found.count == 500 else { throw AiboxError(.failed, "found \(found.count) events of 500") }
        }
        times.sort()
        report("search by session, opening included", [("p50_ms", times[20] * 1e3), ("p95_ms", times[37] * 1e3)])
        try decisions(log)
        let start = ContinuousClock.now
        _ = try SystemCommandRunner().run(
            Command("sh", ["-c", "grep -hc '\"session\":\"session-3-1\"' \"$0\"/events-*", log]), timeout: .seconds(60))
        report("grep of the same files", [("p50_ms", (ContinuousClock.now - start).inSeconds * 1e3)])
    }
}

private func report(_ what: String, _ figures: [(String, Double)]) {
    var object: JSONObject = ["what": .string(what)]
    for (name, value) in figures { object[name] = .number((value * 1000).rounded() / 1000) }
    print(JSONValue.object(object).text)
    fflush(nil)
}

extension Duration {
    fileprivate var inSeconds: Double { Double(components.seconds) + Double(components.attoseconds) * 1e-18 }
}
