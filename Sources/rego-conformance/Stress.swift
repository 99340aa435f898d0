import Rego

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// Threads that share one engine: every answer must be the one that a single thread gives, and memory must not grow.
struct Stress {
    private static let policy = """
        package stress

        decision := {"risk": risk, "why": why, "hosts": hosts, "parts": parts}

        default risk := "blocked"

        risk := name if {
            some name, tools in data.tools
            input.tool in tools
        }

        why := sprintf("%s %d of %v", [input.tool, sum([n | some n in input.numbers]), input.path])

        hosts contains host if {
            some host in input.hosts
            glob.match("*.example.com", ["."], host)
            regex.match(`^[a-z]+[0-9]*[.]`, host)
        }

        parts := {key: upper(value) | some key, value in split(input.path, "/")}

        twice(x) := [x, x]

        nested := [twice(n) | some n in input.numbers; n % 2 == 0]
        """

    let evaluations: Int
    let threads: Int

    func run() async throws {
        let engine = try Engine(
            modules: [Engine.Module(name: "stress.rego", text: Self.policy)],
            data: Array(#"{"tools": {"safe": ["ls", "cat"], "watched": ["git"]}}"#.utf8))
        let query = try engine.prepare("data.stress")
        let inputs = (0..<64).map { number in
            Array(
                """
                {"tool": "\(["ls", "git", "rm"][number % 3])", "numbers": [\(number), 2, 4, 7], "path": "/a\(number)/b/c",
                 "hosts": ["h\(number).example.com", "x.y.example.com", "other.example.org"]}
                """.utf8)
        }
        let expected = try inputs.map { try query.evaluate(json: $0) }
        // What grows while caches fill is no leak.
        _ = try await round(max(1, evaluations / threads / 20), query, inputs, expected)
        let before = Stress.residentKilobytes()
        let start = ContinuousClock.now
        let bad = try await round(evaluations / threads, query, inputs, expected)
        let seconds = (ContinuousClock.now - start).components.seconds
        let after = Stress.residentKilobytes()
        print(
            "\(evaluations) evaluations on \(threads) threads in \(seconds) s, \(bad) wrong, "
                + "resident \(before) kB before and \(after) kB after")
        if bad > 0 || after > before + 16 * 1024 { exit(1) }
    }

    /// How many answers were wrong.
    private func round(
        _ count: Int, _ query: PreparedQuery, _ inputs: [[UInt8]], _ expected: [[UInt8]?]
    ) async throws -> Int {
        try await withThrowingTaskGroup(of: Int.self) { group in
            for thread in 0..<threads {
                group.addTask {
                    var wrong = 0
                    for number in 0..<count {
                        let index = (number &* 7 &+ thread) % inputs.count
                        if try query.evaluate(json: inputs[index]) != expected[index] { wrong += 1 }
                    }
                    return wrong
                }
            }
            return try await group.reduce(0, +)
        }
    }

    private static func residentKilobytes() -> Int {
        guard let file = fopen("/proc/self/statm", "r") else { return 0 }
        defer { fclose(file) }
        var text = [CChar](repeating: 0, count: 256)
        guard fgets(&text, 256, file) != nil else { return 0 }
        let fields = String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            .split(separator: " ")
        return fields.count > 1 ? (Int(fields[1]) ?? 0) * 4 : 0
    }
}
