import AiboxSystem
import AiboxTestSupport
import AiboxWire
import Glibc
import Testing

extension Sandboxes {
    /// The image's clients know the way out without a word from the person or the agent.
    @Suite("Clients on the way out")
    struct EgressClientTests {
        /// A package index, a repository of git and one of apt, as files.
        private func publish(_ origin: LabOrigin) throws {
            let folder = origin.folder.path
            let script = """
                set -e
                mkdir -p "$1/files/simple/lab-package" "$1/files/deb" "$1/build/lab_package-1.0.dist-info"
                cd "$1/build"
                printf 'Metadata-Version: 2.1\\nName: lab-package\\nVersion: 1.0\\n' >lab_package-1.0.dist-info/METADATA
                printf 'Wheel-Version: 1.0\\nGenerator: lab\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n' >lab_package-1.0.dist-info/WHEEL
                echo 'word = "installed"' >lab_package.py
                printf 'lab_package.py,,\\nlab_package-1.0.dist-info/METADATA,,\\nlab_package-1.0.dist-info/WHEEL,,\\nlab_package-1.0.dist-info/RECORD,,\\n' >lab_package-1.0.dist-info/RECORD
                python3 -m zipfile -c "$1/files/lab_package-1.0-py3-none-any.whl" lab_package.py lab_package-1.0.dist-info
                echo '<a href="/files/lab_package-1.0-py3-none-any.whl">lab_package-1.0-py3-none-any.whl</a>' >"$1/files/simple/lab-package/index.html"
                printf 'Package: lab-tool\\nVersion: 1.0\\nArchitecture: all\\nMaintainer: lab\\nFilename: ./none.deb\\nSize: 1\\nSHA256: %064d\\nDescription: lab\\n\\n' 0 >"$1/files/deb/Packages"
                cd "$1/files/deb"
                printf 'Suite: ./\\nDate: %s\\nSHA256:\\n %s %s Packages\\n' "$(date -Ru)" "$(sha256sum <Packages | cut -d' ' -f1)" "$(stat -c %s Packages)" >Release
                git init -q "$1/work" && cd "$1/work"
                echo cloned >word && git add word && git -c user.name=a -c user.email=a@b.c commit -qm one
                git clone -q --bare "$1/work" "$1/files/repo.git" && git -C "$1/files/repo.git" update-server-info
                """
            try SystemCommandRunner().require(
                Command("bash", ["-c", script, "publish", folder]), "cannot publish the lab's packages")
        }

        @Test(
            "curl, wget, git, pip, apt and python find it, and what they may not reach is refused in words",
            arguments: SandboxFixture.Engine.allCases)
        func clients(engine: SandboxFixture.Engine) throws {
            let origin = try LabOrigin((geteuid() == 0 ? 11 : 13) + (engine == .crun ? 1 : 0))
            try publish(origin)
            let fixture = try SandboxFixture(engine: engine, policy: origin.policy(runtime: engine.rawValue))
            try fixture.start()
            let base = "http://allowed.test:\(origin.http)"
            let secure = "https://allowed.test:\(origin.https)"
            let index = "--index-url \(base)/files/simple --trusted-host allowed.test"
            let apt =
                "-o Dir::State=/tmp/apt/s -o Dir::Cache=/tmp/apt/c -o Dir::Etc::SourceParts=/none"
                + " -o Dir::Etc::SourceList=/tmp/apt/list -o APT::Sandbox::User=dev"
            let python = "import urllib.request as r; print(r.urlopen('\(base)/').status)"
            let rows: [(client: String, command: String, says: String)] = [
                ("curl", "curl -sS \(base)/ && curl -sSk \(secure)/", "origin allowed.test"),
                ("wget", "wget -qO- \(base)/", "origin allowed.test"),
                ("git", "git clone -q \(base)/files/repo.git /tmp/clone && cat /tmp/clone/word", "cloned"),
                (
                    "pip",
                    "pip install -q \(index) lab-package && python3 -c 'import lab_package; print(lab_package.word)'",
                    "installed"
                ),
                (
                    "apt",
                    "mkdir -p /tmp/apt/s/lists/partial /tmp/apt/c/archives/partial"
                        + " && echo 'deb [trusted=yes] \(base)/files/deb ./' >/tmp/apt/list && apt-get \(apt) update -q"
                        + " && apt-cache \(apt) show lab-tool", "Package: lab-tool"
                ),
                ("python", "python3 -c \"\(python)\"", "200"),
            ]
            for row in rows {
                let result = try fixture.shell("bash", "-c", row.command)
                #expect(
                    result.succeeded && result.text.contains(row.says),
                    "\(row.client): \(result.text) \(result.errorText)")
            }
            // A refusal is readable by the agent, a redirect to a denied host ends there (A17).
            let refused = try fixture.shell("curl", "-sS", "http://denied.test:\(origin.http)/")
            #expect(refused.text.contains("\"error\":\"host_not_allowed\"") && refused.text.contains("next_steps"))
            let redirect = "\(base)/redirect?to=http://denied.test:\(origin.http)/canary-redirect"
            #expect(try fixture.shell("curl", "-sSL", redirect).text.contains("host_not_allowed"))
            #expect(!origin.log.contains("\"path\": \"/canary-redirect"))
            let followed = try fixture.shell(
                "git", "ls-remote", "\(base)/redirect?to=http://denied.test:\(origin.http)/canary-git")
            #expect(!followed.succeeded && followed.errorText.contains("403"), "\(followed.errorText)")
            #expect(origin.log.contains("/redirect?to=") && !origin.log.contains("\"path\": \"/canary-git"))
            let tunnelled = try fixture.shell("git", "ls-remote", "https://denied.test/x.git")
            #expect(!tunnelled.succeeded && tunnelled.errorText.contains("403"))
        }
    }
}
