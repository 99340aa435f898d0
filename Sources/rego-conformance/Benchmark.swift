import Rego

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// Times decisions of one policy: thread time, median over rounds.
struct Benchmark {
    private let arguments: [String]

    init(_ arguments: [String]) { self.arguments = arguments }

    func run() throws {
        guard arguments.count == 4 else {
            print("usage: rego-conformance bench POLICY DATA INPUTS QUERY")
            return
        }
        let policy = try read(arguments[0])
        let data = try read(arguments[1])
        let start = now()
        var engine = try Engine(modules: [Engine.Module(name: "policy.rego", text: policy)], data: data)
        let first = now() - start
        var compile = Int64.max
        for _ in 0..<20 {
            let start = now()
            engine = try Engine(modules: [Engine.Module(name: "policy.rego", text: policy)], data: data)
            compile = min(compile, now() - start)
        }
        let query = try engine.prepare(arguments[3])
        let inputs = try engine.value(json: read(arguments[2])).elements.map { $0.json }
        let decoded = try inputs.map { try engine.value(json: $0) }
        var totals: [Int64] = []
        var evaluations: [Int64] = []
        for _ in 0..<40 {
            for input in inputs {
                let start = now()
                _ = try query.evaluate(json: input)
                totals.append(now() - start)
            }
            for input in decoded {
                let start = now()
                _ = try query.value(input: input)
                evaluations.append(now() - start)
            }
        }
        totals.sort()
        evaluations.sort()
        print(
            "compile first \(first / 1000) us, best \(compile / 1000) us; decision median \(text(totals)) us, "
                + "evaluation only \(text(evaluations)) us, \(inputs.count) inputs")
    }

    private func text(_ times: [Int64]) -> String {
        let median = times[times.count / 2]
        return "\(median / 1000).\(median % 1000 / 100)"
    }

    private func now() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }

    private func read(_ path: String) throws -> [UInt8] {
        guard let file = fopen(path, "rb") else { throw BenchmarkFailure.unreadable(path) }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = fread(&buffer, 1, buffer.count, file)
            if count == 0 { return bytes }
            bytes.append(contentsOf: buffer[..<count])
        }
    }
}

enum BenchmarkFailure: Error {
    case unreadable(String)
}
