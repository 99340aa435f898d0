import AiboxSystem

/// The lab's certificate authority, made with openssl(1).
struct LabAuthority {
    private let folder: String
    private var certificate: String { folder + "/authority.crt" }
    private var key: String { folder + "/authority.key" }

    init(folder: String) throws(AiboxError) {
        self.folder = folder
        try openSSL(
            ["req", "-x509"] + Self.newKey + [
                "-days", "2", "-subj", "/CN=aibox lab authority", "-keyout", key, "-out", certificate, "-addext",
                "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign,cRLSign",
            ])
    }

    /// One file with certificate and key a name.
    func issue(_ names: [String]) throws(AiboxError) -> [(name: String, path: String)] {
        var issued: [(name: String, path: String)] = []
        for name in names {
            let base = folder + "/" + name
            try openSSL(
                ["req"] + Self.newKey + ["-subj", "/CN=" + name, "-keyout", base + ".key", "-out", base + ".csr"])
            try File.replace(base + ".ext", with: "subjectAltName=DNS:\(name)\n")
            try openSSL([
                "x509", "-req", "-in", base + ".csr", "-CA", certificate, "-CAkey", key, "-days", "2", "-extfile",
                base + ".ext", "-out", base + ".crt",
            ])
            try File.replace(base + ".pem", with: try File.text(base + ".crt") + File.text(base + ".key"))
            issued.append((name, base + ".pem"))
        }
        return issued
    }

    private static let newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]

    private func openSSL(_ arguments: [String]) throws(AiboxError) {
        try SystemCommandRunner().require(Command("openssl", arguments), "openssl makes no certificate")
    }
}

/// Just enough JSON to configure the programs of the lab.
enum JSONText: CustomStringConvertible {
    case text(String)
    case number(Int)
    case list([JSONText])
    case object([(String, JSONText)])

    var description: String {
        switch self {
        case .text(let text): "\"" + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
        case .number(let number): String(number)
        case .list(let items): "[" + items.map(\.description).joined(separator: ",") + "]"
        case .object(let fields):
            "{" + fields.map { "\(JSONText.text($0.0)):\($0.1)" }.joined(separator: ",") + "}"
        }
    }
}
