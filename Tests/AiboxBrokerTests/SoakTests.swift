import AiboxSystem
import AiboxTestSupport
import AiboxWire
import Testing

/// The program itself, as its gateway starts it, under a day's load in seconds (`Tests/lab/llm_soak.py`).
@Suite("The LLM proxy under load", .serialized)
struct SoakTests {
    @Test("1,000 streams, then everything at once: answers whole, requests in the log once, limits exact")
    func day() throws {
        let program = try #require(Path.real("/proc/self/exe").map { Path.parent($0) + "/aibox-llm-proxy" })
        let run = try SystemCommandRunner().run(
            Command("python3", [Lab.programs + "/llm_soak.py", program, "6", "1000"]), timeout: .seconds(180))
        try #require(run.succeeded, "\(run.errorText)")
        let said = try JSONParser.parse(run.output)
        func number(_ part: String, _ name: String) -> Int? { said[part]?[name]?.wholeNumber.map { Int($0) } }

        #expect(said["open"]?.wholeNumber == 1000 && number("streams", "exact") == 1000, "\(said)")
        #expect(said["alive"] == true && said["wrong key"]?.wholeNumber == 0)
        // Nothing goes out that is not in the log, and all that went out has an end.
        let asked = try #require(number("log", "asked"))
        #expect(asked > 500 && asked == number("log", "provider") && asked == number("log", "answered"), "\(said)")
        #expect(number("mixed", "stream broken") == nil && (number("mixed", "whole 200") ?? 0) > 100, "\(said)")
        for kind in ["announced 413", "malformed 400", "smuggled 400", "gzip 502"] {
            #expect((number("mixed", kind) ?? 0) > 0, "\(kind): \(said)")
        }
        #expect(!["announced", "chunked", "malformed", "smuggled"].contains { number("mixed", $0 + " 200") != nil })
        #expect(number("limit", "200") == 300 && number("limit", "429") == 900 && number("limit", "provider") == 300)
        // What the crowd and large bodies took is given back, and nothing stays of every request.
        let (start, most) = (number("start", "memory") ?? 0, number("while open", "memory") ?? 0)
        let (half, end) = (number("half", "memory") ?? 0, number("end", "memory") ?? .max)
        #expect(start > 0 && end < start + (most - start) * 2 / 3 && end < half + 8000, "\(said)")
        // Bodies have room for 34 MiB in all, and a connection that sends one keeps no other room of note.
        let peak = try #require(number("end", "most_memory"))
        #expect(peak < start + 34 << 20 / 1000 + 20_000, "\(said)")
        // Connections that wait for the next request may stay.
        #expect((number("end", "descriptors") ?? 999) <= (number("start", "descriptors") ?? 0) + 70, "\(said)")
    }
}
