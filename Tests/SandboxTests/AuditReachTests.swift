import AiboxSystem
import AiboxTestSupport
import AiboxWire
import Glibc
import Testing

extension Sandboxes {
    /// Red team H05: what watches a sandbox is out of its reach.
    @Suite("The log and the recordings are out of reach")
    struct AuditReachTests {
        private static let policy = "version: 1\naudit: {recording_policy: required, trace_policy: optional}\n"

        /// Looks for what belongs to the log and the recordings, and tries to write at the places named.
        private static let script = """
            import json, os, sys
            NAMES = ("control.sock", "trace.sock", "auditor.key", "log.pub", "checkpoints", "gateway.lock", "state.db")
            found, written = [], []
            for root, folders, files in os.walk(sys.argv[1]):
                if root in ("/proc", "/sys"): folders[:] = []; continue
                found += [os.path.join(root, f) for f in files
                    if f in NAMES or f.endswith(".aiboxrec") or f.startswith("events-") and f.endswith(".jsonl")]
            for process in (p for p in os.listdir("/proc") if p.isdigit()):
                for way in ("root", "cwd"):
                    for place in sys.argv[2:]:
                        if os.path.exists("/proc/%s/%s%s" % (process, way, place)): found.append("/proc/%s/%s%s" % (process, way, place))
            for place in sys.argv[2:]:
                try:
                    with open(place, "ab") as file: file.write(b"x"); written.append(place)
                except OSError: pass
            mounts = [line for line in open("/proc/self/mountinfo") if any(p in line for p in ("aibox/audit", "aibox/recordings", "audit-checkpoints"))]
            print(json.dumps({"found": found, "written": written, "mounts": mounts}))
            """

        private func look(_ text: String) throws -> (found: [String], written: [String], mounts: [String]) {
            let start = try #require(text.firstIndex(of: "{"))
            let json = try JSONParser.parse(Array(text[start...].utf8))
            func list(_ name: String) -> [String] { json[name]?.elements?.compactMap(\.stringValue) ?? [] }
            return (list("found"), list("written"), list("mounts"))
        }

        @Test(
            "neither log nor recording can be found, read or written from inside, and who kills all ends nothing but himself"
        )
        func reach() throws {
            let fixture = try SandboxFixture(policy: Self.policy)
            try File.replace(fixture.workspace + "/look.py", with: Self.script, mode: 0o644)
            try fixture.start()
            _ = try fixture.shell("echo", "shown-before")
            let state = fixture.aibox.home.path + "/state/aibox"
            let log = try #require(try Folder.names(state + "/audit").first { $0.hasPrefix("events-") })
            let recording = try #require(try Folder.names(state + "/recordings").first { $0.hasSuffix(".aiboxrec") })
            let places = [state + "/audit/" + log, state + "/audit/state", state + "/recordings/" + recording]
            let before = try places.map { try File.read($0).count }

            // The control: on the host the same search finds them.
            let host = try SystemCommandRunner().run(
                Command("python3", [fixture.workspace + "/look.py", fixture.aibox.home.path]))
            let seen = try look(host.text).found
            #expect(seen.contains(places[0]) && seen.contains(places[2]))

            let inside = try SystemCommandRunner().run(
                fixture.aibox.command(
                    ["shell", "--name", fixture.name, "--", "python3", "look.py", "/"] + places, in: fixture.workspace,
                    input: []), timeout: .seconds(120))
            let reached = try look(inside.text)
            #expect(reached.found == [] && reached.written == [] && reached.mounts == [])
            #expect(try zip(places, before).allSatisfy { try File.read($0).count >= $1 })

            // All that a process inside may kill is dead; what was recorded until then is there, and so is the log.
            _ = try fixture.shell("python3", "-c", "import os; print('shown-last', flush=True); os.kill(-1, 9)")
            let verified = try fixture.aibox.run("recording", "verify")
            #expect(verified.succeeded, "\(verified.text) \(verified.errorText)")
            let list = try JSONParser.parse(try fixture.aibox.run("recording", "list", "-o", "json").output)
            #expect(list.elements?.count == 3)
            #expect(try fixture.aibox.run("stop", "--name", fixture.name).succeeded)
            #expect(try fixture.aibox.run("audit", "verify").succeeded)
        }
    }
}
