import AiboxSystem
import ArgumentParser
import Rego

struct PolicyBench: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench", abstract: "Time a query: compiling once, and deciding again and again.")

    @OptionGroup(title: "Global options") var global: GlobalOptions

    @Argument(help: "Policy files, or folders with .rego files.")
    var policies: [String]

    @Option(name: .shortAndLong, help: "A JSON file with the document data.")
    var data: String?

    @Option(name: .shortAndLong, help: "A JSON file with the document input.")
    var input: String?

    @Option(help: "What to evaluate.")
    var query: String

    @Option(help: "How many times.")
    var count = 1000

    func validate() throws {
        if count < 1 || count > 1_000_000 { throw ValidationError("--count takes 1 to 1000000.") }
    }

    func run() throws {
        let modules = try PolicySources.modules(policies)
        let document = try PolicySources.document(data) ?? Array("{}".utf8)
        let input = try PolicySources.document(input) ?? Array("{}".utf8)
        try PolicySources.reporting("cannot time the query") {
            let clock = ContinuousClock()
            let start = clock.now
            let prepared = try Engine(modules: modules, data: document).prepare(query)
            let compiled = start.duration(to: clock.now)
            var times: [Duration] = []
            times.reserveCapacity(count)
            for _ in 0..<count { times.append(try clock.measure { _ = try prepared.evaluate(json: input) }) }
            times.sort()
            global.output.answer(
                .record([
                    .init("compile_us", .integer(Self.microseconds(compiled))), .init("count", .integer(count)),
                    .init("median_us", .integer(Self.microseconds(times[count / 2]))),
                    .init("p99_us", .integer(Self.microseconds(times[min(count - 1, count * 99 / 100)]))),
                ]))
        }
    }

    private static func microseconds(_ duration: Duration) -> Int {
        let (seconds, attoseconds) = duration.components
        return Int(seconds) * 1_000_000 + Int(attoseconds / 1_000_000_000_000)
    }
}
