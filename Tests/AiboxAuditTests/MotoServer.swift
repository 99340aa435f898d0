import AiboxSystem
import Glibc
import Testing

@testable import AiboxAudit

/// A stand-in for S3 on the loopback (moto, from PyPI).
final class MotoServer {
    private let child: ChildProcess
    private let folder: String
    let port: Int
    let programs: String

    init(_ folder: String) throws {
        self.folder = folder
        // Where `make deps` puts the Python packages of the tests.
        programs = Environment.value("AIBOX_TEST_PYTHON") ?? "/usr/local/lib/aibox-test-python/bin"
        port = Int.random(in: 20_000...30_000)
        try File.replace(folder + "/ext", with: "subjectAltName=DNS:localhost,IP:127.0.0.1\n")
        for arguments in [
            [
                "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "server.key", "-out", "server.pem",
                "-subj", "/CN=localhost",
                "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-days", "2",
            ]
        ] {
            let result = try SystemCommandRunner().run(Command("openssl", arguments, directory: folder))
            try #require(result.succeeded, "\(result.errorText)")
        }
        let null = Descriptor(Glibc.open("/dev/null", O_RDWR | O_CLOEXEC))
        let log = Descriptor(Glibc.open(folder + "/moto.log", O_WRONLY | O_CREAT | O_CLOEXEC, 0o600))
        child = try ChildProcess.start(
            Command(
                programs + "/moto_server",
                ["-H", "127.0.0.1", "-p", "\(port)", "-c", folder + "/server.pem", "-k", folder + "/server.key"]),
            descriptors: [null.number, log.number, log.number], deathSignal: SIGKILL)
        let deadline = ContinuousClock.now + .seconds(60)
        while true {
            do {
                try python("s3.create_bucket(Bucket=\"sealed\", ObjectLockEnabledForBucket=True)")
                return
            } catch {
                if ContinuousClock.now > deadline { throw error }
                usleep(200_000)
            }
        }
    }

    deinit {
        child.send(SIGKILL)
        _ = try? child.wait()
    }

    func store(partBytes: Int) throws -> S3Store {
        try S3Store(
            "s3://sealed/log?endpoint=localhost:\(port)&ca=\(folder)/server.pem", partBytes: partBytes,
            environment: ["AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"])
    }

    /// Runs a script that has a client of the server as `s3`.
    @discardableResult
    func python(_ script: String, _ arguments: String...) throws -> String {
        let start = """
            import boto3, botocore.config, datetime, sys
            s3 = boto3.client("s3", endpoint_url="https://localhost:\(port)", verify="\(folder)/server.pem", region_name="us-east-1",
                aws_access_key_id="test", aws_secret_access_key="test", config=botocore.config.Config(retries={"max_attempts": 1}))

            """
        let result = try SystemCommandRunner().run(
            Command(programs + "/python", ["-c", start + script] + arguments), timeout: .seconds(60))
        if !result.succeeded {
            throw AiboxError(.failed, "the script failed", why: result.errorText)
        }
        return result.text
    }
}
