import AiboxSystem
import AiboxWire
import Testing

@testable import AiboxContainer

@Suite("The seccomp profile as a document")
struct SeccompProfileTests {
    @Test("the profile that ships has no findings and compiles for both architectures")
    func shipped() throws {
        let profile = try embeddedProfile()
        #expect(profile.findings == [])
        let programs = try profile.check()
        for architecture in SeccompProfile.Architecture.allCases {
            let count = try #require(programs[architecture]).count
            // BPF_MAXINSNS; far below it, for every call of every program passes here.
            #expect((200...1500).contains(count), "\(architecture): \(count) instructions")
        }
    }

    @Test("every group of rules says why it is there")
    func reasons() throws {
        var subject: [String] = []
        for rule in try embeddedProfile().rules {
            if rule.names != subject { #expect(rule.comment != nil, "\(rule.names.first ?? "?") has no comment") }
            subject = rule.names
        }
    }

    @Test("no call is named twice without a condition", arguments: SeccompProfile.Architecture.allCases)
    func once(_ architecture: SeccompProfile.Architecture) throws {
        let names = try embeddedProfile().rules.filter { $0.stands(on: architecture) && $0.arguments.isEmpty }
            .flatMap(\.names)
        #expect(Set(names).count == names.count)
    }

    @Test("runsc is told 'no such call' in the one way in which it understands it, and nothing else changes")
    func runsc() throws {
        let profile = try embeddedProfile()
        let spoken = profile.spoken(.runsc)
        #expect(spoken.defaultAction == .trace)
        for (ours, theirs) in zip(profile.rules, spoken.rules) {
            #expect(theirs.action == (ours.action == .refuse(errno: 38) ? .trace : ours.action))
            #expect(ours.names == theirs.names && ours.arguments == theirs.arguments)
        }
        #expect(spoken.rules.filter { $0.action == .trace }.map(\.names) == [["clone3"]])
        #expect(profile.file(for: .oci) == profile.source)
        let file = try JSONParser.parse(profile.file(for: .runsc))
        #expect(file["defaultAction"] == "SCMP_ACT_TRACE")
        #expect(file["defaultErrnoRet"] == nil)
        #expect(file["syscalls"]?.elements?.count == profile.rules.count)
    }

    /// A document with one rule, and what one change makes of it.
    private static let good = """
        {"defaultAction":"SCMP_ACT_ERRNO","defaultErrnoRet":38,
         "archMap":[{"architecture":"SCMP_ARCH_X86_64","subArchitectures":[]},{"architecture":"SCMP_ARCH_AARCH64","subArchitectures":[]}],
         "syscalls":[{"names":["read"],"action":"SCMP_ACT_ALLOW","args":[{"index":0,"value":1,"valueTwo":0,"op":"SCMP_CMP_EQ"}]}]}
        """

    @Test(
        "a document that does not say exactly what it means is refused",
        arguments: [
            (#""defaultErrnoRet":38,"#, "", "an answer without its errno"),
            ("SCMP_ACT_ALLOW", "SCMP_ACT_LOG", "an action that refuses nothing"),
            ("SCMP_ACT_ALLOW", "SCMP_ACT_NOTIFY", "an action that asks another process"),
            (#""subArchitectures":[]},{"#, #""subArchitectures":["SCMP_ARCH_X32"]},{"#, "a second table of calls"),
            ("SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM", "an architecture that aibox does not know"),
            (#""names":["read"],"#, #""names":["read"],"excludes":{},"#, "a member that would be ignored"),
            (#""names":["read"],"#, #""names":[1],"#, "a call by number"),
            ("SCMP_CMP_EQ", "SCMP_CMP_NE", "a comparison that upper bits get around"),
            (#""valueTwo":0"#, #""valueTwo":1"#, "a second value that means nothing"),
            (#""value":1"#, #""value":-1"#, "a negative value"),
            (#""value":1"#, #""value":1.5"#, "a fraction"),
            ("SCMP_ACT_ALLOW\"", "SCMP_ACT_ALLOW\",\"errnoRet\":1", "an errno where nothing fails"),
            ("{\"names\"", "{\"names\":[],\"names\"", "a member twice"),
            ("]}]}", "]}]}x", "something behind the end"),
            ("SCMP_ACT_ALLOW", "", "an empty action"),
        ])
    func strict(_ what: String, _ instead: String, _ description: String) throws {
        #expect(try SeccompProfile(parsing: Array(Self.good.utf8)).findings == [])
        let place = try #require(Self.good.firstRange(of: what))
        var changed = Self.good
        changed.replaceSubrange(place, with: instead)
        #expect(throws: AiboxError.self, "\(description)") { try SeccompProfile(parsing: Array(changed.utf8)) }
    }

    private static let read = SeccompProfile.Rule(names: ["read"], action: .allow)

    @Test(
        "a profile that could not be enforced as written has findings",
        arguments: [
            ([SeccompProfile.Rule(names: ["no_such_call"], action: .allow)], "no_such_call is no call of"),
            ([SeccompProfile.Rule(names: ["open"], action: .allow)], "open is no call of arm64"),
            ([SeccompProfile.Rule(names: [], action: .allow)], "names no call"),
            (
                [
                    read,
                    SeccompProfile.Rule(names: ["read"], action: .refuse(errno: 1), arguments: [.init(0, .equal(1))]),
                ], "unconditional"
            ),
            (
                [SeccompProfile.Rule(names: ["read"], action: .allow, arguments: [.init(6, .equal(1))])],
                "no such argument"
            ),
            (
                [
                    SeccompProfile.Rule(
                        names: ["read"], action: .allow, arguments: [.init(0, .equal(1)), .init(0, .equal(2))])
                ], "twice"
            ),
            (
                [
                    SeccompProfile.Rule(
                        names: ["read"], action: .allow, arguments: [.init(0, .masked(mask: 1, value: 2))])
                ], "cannot hold"
            ),
            (
                [
                    SeccompProfile.Rule(
                        names: ["read"], action: .allow, arguments: [.init(0, .masked(mask: 0, value: 0))])
                ], "always holds"
            ),
        ] as [([SeccompProfile.Rule], String)])
    func findings(_ rules: [SeccompProfile.Rule], _ words: String) {
        let profile = SeccompProfile(
            defaultAction: .refuse(errno: 38), architectures: SeccompProfile.Architecture.allCases, rules: rules)
        #expect(profile.findings.contains { $0.contains(words) }, "\(profile.findings)")
        #expect(throws: AiboxError.self) { try profile.check() }
    }

    @Test("a profile that allows by default or leaves an architecture out has findings")
    func defaults() {
        let open = SeccompProfile(defaultAction: .allow, architectures: [.amd64], rules: [Self.read])
        #expect(open.findings.count == 2)
    }

    // MARK: What a runtime was given

    /// `linux.seccomp` as podman writes it for a container on x86-64.
    private func applied(_ profile: SeccompProfile) throws -> JSONValue {
        let file = try JSONParser.parse(profile.file(for: .oci))
        var object: JSONObject = [
            "defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 38, "architectures": ["SCMP_ARCH_X86_64"],
        ]
        object["syscalls"] = .array(
            (file["syscalls"]?.elements ?? []).filter { rule in
                rule["includes"]?["arches"]?.elements.map { $0.contains("amd64") } ?? true
            }.map { rule in
                var kept: JSONObject = ["names": rule["names"] ?? [], "action": rule["action"] ?? ""]
                kept["errnoRet"] = rule["errnoRet"]
                kept["args"] = rule["args"]
                return .object(kept)
            })
        return .object(object)
    }

    @Test("a container that has the profile has no difference from it")
    func same() throws {
        let profile = try embeddedProfile()
        #expect(try profile.differences(from: applied(profile), dialect: .oci, architecture: .amd64) == [])
    }

    @Test("every change of what a container was given is found")
    func changed() throws {
        let profile = try embeddedProfile()
        guard case .object(let good) = try applied(profile) else { return }
        let rules = good["syscalls"]?.elements ?? []
        var variants: [(String, JSONObject)] = []
        func vary(_ name: String, _ member: String, _ value: JSONValue?) {
            var object = good
            object[member] = value
            variants.append((name, object))
        }
        vary("allows by default", "defaultAction", "SCMP_ACT_ALLOW")
        vary("another errno", "defaultErrnoRet", 1)
        vary("x32 as well", "architectures", ["SCMP_ARCH_X86_64", "SCMP_ARCH_X32"])
        vary("any architecture", "architectures", nil)
        vary("a rule less", "syscalls", .array(Array(rules.dropLast())))
        vary("no rules", "syscalls", nil)
        vary("a rule more", "syscalls", .array(rules + [["names": ["bpf"], "action": "SCMP_ACT_ALLOW"]]))
        vary("an unknown rule", "syscalls", .array(rules + [["names": ["bpf"], "action": "SCMP_ACT_LOG"]]))
        for (name, variant) in variants {
            let found = profile.differences(from: .object(variant), dialect: .oci, architecture: .amd64)
            #expect(!found.isEmpty, "\(name)")
        }
        #expect(profile.differences(from: nil, dialect: .oci) == ["no filter"])
        #expect(!profile.differences(from: .object(good), dialect: .runsc, architecture: .amd64).isEmpty)
    }

    @Test(
        "where programs are told of, the calls that load one ask the listener, and nothing else of the profile is another"
    )
    func watched() throws {
        let plain = try embeddedProfile()
        let socket = "/run/aibox/demo/trace.sock"
        let watched = plain.watched(by: socket)
        #expect(watched.findings == [])
        func answers(_ profile: SeccompProfile) -> [String: [SeccompProfile.Rule]] {
            var answers: [String: [SeccompProfile.Rule]] = [:]
            for rule in profile.rules {
                for name in rule.names {
                    var one = rule
                    one.names = [name]
                    answers[name, default: []].append(one)
                }
            }
            return answers
        }
        var (before, after) = (answers(plain), answers(watched))
        for name in ["execve", "execveat"] {
            #expect(before.removeValue(forKey: name)?.map(\.action) == [.allow])
            let found = after.removeValue(forKey: name)
            let rule = try #require(found)
            #expect(
                rule.map(\.action) == [.notify] && rule.allSatisfy { $0.arguments.isEmpty && $0.architectures == nil })
        }
        #expect(before == after)
        #expect(plain.file(for: .oci) == plain.source)
        let file = try JSONParser.parse(watched.file(for: .oci))
        #expect(file["listenerPath"]?.stringValue == socket)
        try watched.check()

        // As a runtime was given it: neither may stand for the other, and the listener is ours.
        guard case .object(var good) = try applied(watched) else { return }
        func differences(_ profile: SeccompProfile) -> [String] {
            profile.differences(from: .object(good), dialect: .oci, architecture: .amd64)
        }
        #expect(differences(watched) == ["listener none"])
        good["listenerPath"] = .string(socket)
        #expect(differences(watched) == [])
        #expect(!differences(plain).isEmpty)
        #expect(!differences(plain.watched(by: "/tmp/another.sock")).isEmpty)
        let allowed = try applied(plain)
        #expect(!watched.differences(from: allowed, dialect: .oci, architecture: .amd64).isEmpty)
    }
}
