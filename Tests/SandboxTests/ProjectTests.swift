import AiboxSystem
import AiboxTestSupport
import Testing

extension Sandboxes {
    /// The material comes from `scripts/test-material`.
    @Suite("A developer's day on a real project")
    struct ProjectTests {
        private static func material() throws -> String {
            try #require(Environment.value("AIBOX_TEST_MATERIAL"), "scripts/sandbox-tests sets it")
        }

        /// Those of busybox's own tests that need neither a network nor root.
        private static let tested =
            "basename bunzip2 cat cmp cp cut diff dirname du echo expand expr find fold grep gunzip gzip head md5sum"
            + " mkdir mv od patch printf pwd readlink rm sort sum tail test touch tr uniq wc which xargs"

        /// Half of the project: what is tested and what that hangs on. Under gVisor each start of a compiler takes its time.
        private static let configure = """
            make defconfig
            for option in $(grep -rhoE '^//config:config [A-Z0-9_]+' networking util-linux modutils loginutils miscutils \\
                console-tools e2fsprogs init klibc-utils mailutils printutils procps runit sysklogd shell | cut -d' ' -f2)
            do echo "s/^CONFIG_$option=y/# CONFIG_$option is not set/"; done >/tmp/off
            sed -i -f /tmp/off .config
            yes '' | make oldconfig
            """

        @Test("some thousand files: committed, compiled over the shell, tested over ssh", .timeLimit(.minutes(25)))
        func compile() throws {
            let fixture = try SandboxFixture()
            let runner = SystemCommandRunner()
            let unpack =
                "tar xf \(try Self.material())/busybox_*.orig.tar.bz2 -C \(fixture.workspace) --strip-components 1"
            #expect(try runner.run(Command("sh", ["-c", unpack])).succeeded)
            try fixture.start()
            func shell(_ words: String..., timeout: Duration = .seconds(300)) throws -> CommandResult {
                try runner.run(
                    fixture.aibox.command(["shell", "--name", fixture.name, "--"] + words), timeout: timeout)
            }

            let commit = "git init -q && git add -A && git -c user.name=a -c user.email=a@b.c commit -qm one"
            let committed = try shell("sh", "-c", commit + " && git fsck && git ls-files | wc -l")
            #expect(
                Int(committed.text.split(separator: "\n").last ?? "").map { $0 > 2500 } == true, "\(committed.text)")
            let build = "{ \(Self.configure)\n} >/dev/null && make -j2 && make busybox.links"
            let built = try shell("sh", "-c", build, timeout: .seconds(1200))
            #expect(built.succeeded, "\(built.errorText.suffix(2000))")

            let settings = try fixture.folder.write("ssh_config", try fixture.aibox.run("ssh-config").text)
            let test = "cd /workspace/testsuite && bindir=/workspace srcdir=$PWD ./runtest " + Self.tested
            let tested = try runner.run(
                Command("ssh", ["-F", settings, fixture.container, test]), timeout: .seconds(600))
            let lines = tested.text.split(separator: "\n")
            #expect(tested.succeeded && lines.count { $0.hasPrefix("PASS") } > 200, "\(tested.text.suffix(2000))")
            #expect(lines.filter { $0.hasPrefix("FAIL") } == [])
            let changed = try shell("git", "status", "--short", "--untracked-files=no")
            #expect(changed.succeeded && changed.text == "", "\(changed.text)")
        }

        @Test("Claude Code runs inside", arguments: SandboxFixture.Engine.allCases)
        func claudeCode(engine: SandboxFixture.Engine) throws {
            let fixture = try SandboxFixture(engine: engine)
            let copy = Command("cp", ["--reflink=auto", try Self.material() + "/claude", fixture.workspace])
            #expect(try SystemCommandRunner().run(copy).succeeded)
            try fixture.start()
            let version = try fixture.shell("/workspace/claude", "--version")
            #expect(version.succeeded && version.text.contains("Claude Code"), "\(version.text) \(version.errorText)")
        }
    }
}
