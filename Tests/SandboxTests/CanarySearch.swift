import AiboxCrypto
import AiboxSystem
import AiboxTestSupport
import AiboxWire
import Glibc
import Testing

/// Looks for random secrets wherever a session may have left them (Tests/lab/canary.py), and for a word that was planted,
/// which shows of each kind of place that they would be found there.
struct CanarySearch {
    static let control = "planted"
    static let program = Lab.programs + "/canary.py"

    /// Each line a name and the secret in a disguise, for the standard input of the program.
    private let input: [UInt8]

    init(_ secrets: [String: String], planted: String) {
        let all = secrets.merging([Self.control: planted]) { $1 }
        let lines = all.map { "\($0.key) \(Hex.encode($0.value.utf8.map { $0 ^ 0x55 }))\n" }
        input = Array((lines.joined() + "\n").utf8)
    }

    struct Report {
        /// `SECRET as FORM in PLACE`
        let leaks: [String]
        /// Where the planted word was seen.
        let controls: [String]
        let searched: JSONValue

        init(_ text: String) throws {
            let json = try JSONParser.parse(text)
            var leaks: [String] = []
            var controls: [String] = []
            for row in json["found"]?.elements ?? [] {
                let words = ["secret", "form", "place"].map { row[$0]?.stringValue ?? "" }
                if words[0] == CanarySearch.control {
                    controls.append(words[2])
                } else {
                    leaks.append("\(words[0]) as \(words[1]) in \(words[2])")
                }
            }
            self.leaks = leaks
            self.controls = controls
            searched = try #require(json["searched"])
        }

        /// Nothing was found but the planted word, and that in each of these places, told by a part of their names.
        func expect(
            onlyControls places: [String], _ what: String, sourceLocation: SourceLocation = #_sourceLocation
        ) {
            #expect(leaks == [], "\(what)", sourceLocation: sourceLocation)
            for place in places {
                #expect(
                    controls.contains { $0.contains(place) }, "\(what): the control in \(place); seen: \(controls)",
                    sourceLocation: sourceLocation)
            }
        }
    }

    /// On this machine, with the program's own options.
    func here(_ options: [String]) throws -> Report {
        let result = try SystemCommandRunner().run(
            Command("python3", [Self.program] + options, input: input), timeout: .seconds(600))
        return try report(result)
    }

    /// Inside, as the agent, of all that it may read there.
    ///
    /// gVisor lets nobody read the memory of others but of those that it started (Yama's `ptrace_scope` 1): the search takes the
    /// place of the shell that has just started one more client.
    func inside(_ fixture: SandboxFixture) throws -> Report {
        let script = """
            python3 /workspace/client.py /tmp/again.done </dev/null >/tmp/again.log 2>&1 &
            for i in $(seq 600); do [ -e /tmp/again.done ] && break; sleep 0.1; done
            exec python3 /workspace/canary.py --processes all --root /
            """
        let words = ["shell", "--name", fixture.name, "--", "bash", "-c", script]
        return try report(
            try SystemCommandRunner().run(fixture.aibox.command(words, input: input), timeout: .seconds(600)))
    }

    private func report(_ result: CommandResult) throws -> Report {
        try #require(result.succeeded, "\(result.errorText.suffix(2000))")
        return try Report(result.text)
    }

    /// Looks at every command line and environment of this machine, until it is asked for its report.
    final class Watch {
        private let child: ChildProcess
        private let secrets: Descriptor
        private let answer: Descriptor

        init(_ search: CanarySearch) throws {
            let input = try Pipe()
            let output = try Pipe()
            child = try ChildProcess.start(
                Command("python3", [CanarySearch.program, "--watch"]),
                descriptors: [input.read.number, output.write.number, 2])
            input.read.close()
            output.write.close()
            secrets = input.write
            answer = output.read
            try File.writeAll(search.input, to: secrets, "the search's input")
            try #require(try answer.readLine() == "watching")
        }

        deinit {
            secrets.close()
            _ = try? child.wait()
        }

        func report() throws -> Report {
            secrets.close()
            return try Report(try answer.readLine(limit: 16 << 20))
        }
    }
}
