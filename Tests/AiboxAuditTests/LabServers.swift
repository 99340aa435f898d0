import AiboxSystem
import AiboxTestSupport
import Glibc
import Testing

@testable import AiboxAudit

/// An address of a sink or a place, right or wrong.
struct AddressRow: CustomTestStringConvertible {
    var testDescription: String
    var text: String
    var isRight: Bool
}

/// Servers on the loopback for the tests of sinks and places.
extension LogFixture {
    /// A certificate for localhost and an authority of its own.
    func certificates() throws -> (authority: String, certificate: String, key: String) {
        let path = folder.path
        try File.replace(path + "/ext", with: "subjectAltName=DNS:localhost,IP:127.0.0.1\n")
        let commands = [
            [
                "req", "-x509", "-newkey", "ed25519", "-nodes", "-keyout", "ca.key", "-out", "ca.pem", "-subj",
                "/CN=Test CA", "-days", "2",
            ],
            [
                "req", "-newkey", "rsa:2048", "-nodes", "-keyout", "server.key", "-out", "server.csr", "-subj",
                "/CN=localhost",
            ],
            [
                "x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-out",
                "server.pem", "-days", "2", "-extfile", "ext",
            ],
        ]
        for arguments in commands {
            let result = try SystemCommandRunner().run(Command("openssl", arguments, directory: path))
            try #require(result.succeeded, "\(result.errorText)")
        }
        return (path + "/ca.pem", path + "/server.pem", path + "/server.key")
    }

    /// rsyslog over TLS; what it takes goes into the file `received`.
    func startRsyslog(_ port: UInt16, _ authority: String, _ certificate: String, _ key: String) throws -> ChildProcess
    {
        let folder = folder.path
        try File.replace(
            folder + "/rsyslog.conf",
            with: """
                global(defaultNetstreamDriver="gtls" defaultNetstreamDriverCAFile="\(authority)"
                       defaultNetstreamDriverCertFile="\(certificate)" defaultNetstreamDriverKeyFile="\(key)"
                       workDirectory="\(folder)" maxMessageSize="512k")
                module(load="imtcp" streamDriver.name="gtls" streamDriver.mode="1" streamDriver.authMode="anon")
                template(name="line" type="string" string="%structured-data% %msg%\\n")
                input(type="imtcp" port="\(port)" address="127.0.0.1")
                action(type="omfile" file="\(folder)/received" template="line" flushOnTXEnd="on")

                """)
        let null = Descriptor(Glibc.open("/dev/null", O_RDWR | O_CLOEXEC))
        let log = Descriptor(Glibc.open(folder + "/rsyslog.log", O_WRONLY | O_CREAT | O_CLOEXEC, 0o600))
        return try ChildProcess.start(
            Command("rsyslogd", ["-n", "-i", folder + "/rsyslog.pid", "-f", folder + "/rsyslog.conf"]),
            descriptors: [null.number, log.number, log.number], deathSignal: SIGKILL)
    }
}
