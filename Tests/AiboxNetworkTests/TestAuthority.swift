import AiboxSystem

/// A certificate authority for tests, made by openssl(1).
enum TestAuthority {
    /// Certificate and key in one PEM file, as Squid wants them.
    static func write(_ path: String, name: String = "aibox test authority") throws {
        let key = path + ".key"
        try SystemCommandRunner().require(
            Command(
                "openssl",
                [
                    "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                    "-subj",
                    "/CN=" + name, "-keyout", key, "-out", path, "-addext", "basicConstraints=critical,CA:TRUE",
                    "-addext",
                    "keyUsage=critical,keyCertSign,cRLSign",
                ]), "openssl makes no certificate")
        try File.replace(path, with: try File.text(path) + File.text(key))
    }
}
