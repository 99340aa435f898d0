import AiboxSystem
import ArgumentParser
import Glibc
import Rego

struct PolicyBench: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench", abstract: "Time a query: compiling once, and deciding again and again.",
        discussion: "Times are the thread's processor time from JSON bytes to JSON bytes.")

    @OptionGroup(title: "Global options") var global: GlobalOptions

    @Argument(help: "Policy files, or folders with .rego files.")
    var policies: [String]

    @Option(name: .shortAndLong, help: "A JSON file with the document data.")
    var data: String?

    @Option(name: .shortAndLong, help: "A JSON file with the document input.")
    var input: String?

    @Option(help: "A JSON file with an array of inputs, which are taken in turn.")
    var inputs: String?

    @Option(help: "What to evaluate.")
    var query: String

    @Option(help: "How many decisions.")
    var count = 1000

    func validate() throws {
        if count < 1 || count > 1_000_000 { throw ValidationError("--count takes 1 to 1000000.") }
        if input != nil, inputs != nil { throw ValidationError("--input and --inputs exclude each other.") }
    }

    func run() throws {
        let modules = try PolicySources.modules(policies)
        let document = try PolicySources.document(data) ?? Array("{}".utf8)
        try PolicySources.reporting("cannot time the query") {
            let start = try Self.processorTime()
            let engine = try Engine(modules: modules, data: document)
            let prepared = try engine.prepare(query)
            let compiled = try Self.processorTime() - start
            let decisions = try documents(engine)
            var times: [Int] = []
            times.reserveCapacity(count)
            for number in 0..<count {
                let document = decisions[number % decisions.count]
                let start = try Self.processorTime()
                _ = try prepared.evaluate(json: document)
                times.append(try Self.processorTime() - start)
            }
            times.sort()
            global.output.answer(
                .record([
                    .init("compile_us", .number(Self.microseconds(compiled))), .init("count", .integer(count)),
                    .init("median_us", .number(Self.microseconds(times[count / 2]))),
                    .init("p99_us", .number(Self.microseconds(times[min(count - 1, count * 99 / 100)]))),
                ]))
        }
    }

    private func documents(_ engine: Engine) throws -> [[UInt8]] {
        guard let inputs, let bytes = try PolicySources.document(inputs) else {
            return [try PolicySources.document(input) ?? Array("{}".utf8)]
        }
        let documents = try engine.value(json: bytes).elements.map(\.json)
        if documents.isEmpty {
            throw AiboxError(.usage, "there is nothing to decide", why: "\(inputs) is not an array with an input in it")
        }
        return documents
    }

    /// Nanoseconds that this thread has run.
    private static func processorTime() throws -> Int {
        var time = timespec()
        guard clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time) == 0 else {
            throw AiboxError(.failed, "cannot read the thread's clock", why: String(cString: strerror(errno)))
        }
        return time.tv_sec * 1_000_000_000 + time.tv_nsec
    }

    /// With one decimal.
    private static func microseconds(_ nanoseconds: Int) -> Double {
        Double((nanoseconds + 50) / 100) / 10
    }
}
