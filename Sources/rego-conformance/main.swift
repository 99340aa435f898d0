import Rego

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

// Without arguments: reads requests from standard input and answers each on standard output, see `JSONLinesSession`.
// With `bench POLICY DATA INPUTS QUERY`: times decisions from JSON to JSON on one thread.
// With `stress [EVALUATIONS] [THREADS]`: a million evaluations on eight threads that share an engine.
let arguments = Array(CommandLine.arguments.dropFirst())
switch arguments.first {
case "bench": try Benchmark(Array(arguments.dropFirst())).run()
case "stress":
    let numbers = arguments.dropFirst().compactMap { Int($0) }
    try await Stress(evaluations: numbers.first ?? 1_000_000, threads: numbers.count > 1 ? numbers[1] : 8).run()
default: serve()
}

func serve() {
    let session = JSONLinesSession()
    while let line = readLine(strippingNewline: true) {
        var answer = session.answer(Array(line.utf8))
        answer.append(10)
        var sent = 0
        while sent < answer.count {
            let count = answer[sent...].withUnsafeBytes { write(1, $0.baseAddress, $0.count) }
            if count <= 0 { exit(1) }
            sent += count
        }
    }
}
