import AiboxSystem
import AiboxTestSupport
import AiboxWire
import Testing

extension Sandboxes {
    /// The clients of clouds, unchanged, with nothing set but what the sandbox sets; `scripts/test-material` fetches them.
    @Suite("Clients of clouds")
    struct CloudClientTests {
        private let cloud: LabProvider
        private let canary = "sk-canary-" + String(UInt64.random(in: .min ... .max), radix: 36)

        init() throws { cloud = try LabProvider(program: "cloud.py") }

        private func fixture(_ style: LLMStyle) throws -> SandboxFixture {
            let path = style == .vertex ? "/v1/projects/acme/locations/us-east5" : ""
            return try SandboxFixture(
                policy: "version: 1\nnetwork: {targets: [127.0.0.1/32]}\ncredentials: {llm_api_key_ttl: 1h}\n"
                    + "llm: {models: [\"claude-*\", \"gpt-*\"], requests_per_minute: 60}\n",
                settings: [
                    "AIBOX_LLM_API_KEY": canary, "AIBOX_LLM_PROVIDER": "custom", "AIBOX_LLM_HOST": "models.example.org",
                    "AIBOX_CREDENTIALS_STORE": "environment",
                    "AIBOX_NETWORK_LLM_GATEWAY": "\(style.rawValue)+http://127.0.0.1:\(cloud.port)\(path)",
                ])
        }

        private func bring(_ name: String, to fixture: SandboxFixture) throws {
            let material = try #require(Environment.value("AIBOX_TEST_MATERIAL"), "scripts/sandbox-tests sets it")
            let copy = Command("cp", ["-a", "--reflink=auto", material + "/" + name, fixture.workspace])
            try #require(try SystemCommandRunner().run(copy).succeeded)
        }

        static let expected: [(LLMStyle, String)] = [
            (
                .azure,
                """
                plain hello
                streamed hello
                responses hello
                models ['gpt-lab']
                model PermissionDeniedError 403 llm.models
                files PermissionDeniedError 403 llm.path
                429 RateLimitError 429 the cloud's own
                foreign PermissionDeniedError 403 llm.credential
                version 1 hello
                """
            ),
            (
                .vertex,
                """
                plain hello
                streamed hello
                model PermissionDeniedError 403 llm.models
                dots PermissionDeniedError 403 llm.path
                429 RateLimitError 429 the cloud's own
                cut RemoteProtocolError
                tokens 10
                project PermissionDeniedError 403 llm.tenant
                foreign PermissionDeniedError 403 llm.credential
                """
            ),
            (
                .bedrock,
                """
                plain hello
                streamed hello
                model PermissionDeniedError 403 llm.models
                dots PermissionDeniedError 403 llm.path
                429 RateLimitError 429 the cloud's own
                cut RemoteProtocolError
                converse hello
                converse streamed hello
                invoke hello
                converse model AccessDeniedException aibox
                converse account AccessDeniedException aibox
                converse 429 ThrottlingException the cloud says 429
                converse signed AccessDeniedException aibox
                """
            ),
        ]

        @Test(
            "the packages openai (Azure), anthropic (Vertex AI, Bedrock) and boto3: plain, streamed, refused, counted",
            arguments: expected)
        func packages(_ style: LLMStyle, _ expected: String) throws {
            let fixture = try fixture(style)
            try bring("packages", to: fixture)
            if style == .bedrock { try bring("boto3", to: fixture) }
            _ = try File.replace(
                fixture.workspace + "/clients.py", with: try File.text(Lab.programs + "/cloud_clients.py"))
            try fixture.start()
            let result = try fixture.shell(
                "env", "PYTHONPATH=packages:boto3", "python3", "clients.py", style.rawValue)
            #expect(result.text == expected, "\(result.errorText.suffix(2000))")
            // What was refused never came to the cloud, and what came had the key.
            let log = cloud.log
            for word in ["somebody", "SOMEBODY", "thief", "/other", "999999999999", "aibox-", "amz-sdk", "x-amz-"] {
                #expect(!log.contains(word), "\(word) came to the cloud")
            }
            #expect(log.contains("Bearer \(canary)"))
            let usage = try JSONParser.parse(
                try fixture.aibox.run("llm", "usage", "--by", "sandbox", "--name", fixture.name, "-o", "json").output)
            let row = usage.elements?.first
            // Each answer that is a whole has gone in with 10 and come out with 5, whatever its format.
            let answers = style == .bedrock ? 5 : style == .azure ? 4 : 2
            let input = row?["input_tokens"]?.wholeNumber ?? 0
            let output = row?["output_tokens"]?.wholeNumber ?? 0
            #expect(input >= Int64(10 * answers) && output >= Int64(5 * answers), "\(usage.text)")
            #expect(row?["refused"]?.wholeNumber ?? 0 >= 3, "\(usage.text)")
        }

        @Test(
            "Claude Code asks through Vertex AI and Bedrock with what the environment says",
            arguments: [LLMStyle.vertex, .bedrock])
        func claude(_ style: LLMStyle) throws {
            let fixture = try fixture(style)
            try bring("claude", to: fixture)
            try fixture.start()
            let result = try fixture.shell(
                "timeout", "120", "/workspace/claude", "-p", "say hello", "--model", "claude-lab")
            #expect(result.text.hasSuffix("hello"), "\(result.text) \(result.errorText.suffix(2000))")
            #expect(cloud.log.contains("Bearer \(canary)") && !cloud.log.contains("sk-ant-aibox-"))
        }
    }
}
