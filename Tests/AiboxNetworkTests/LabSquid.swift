import AiboxNetwork
import AiboxSystem
import AiboxTestSupport
import Testing

/// A Squid with a rendered configuration in the lab's namespace, and a client that plays the gateway.
final class LabSquid {
    let lab: Lab
    let folder: TemporaryFolder
    let configuration: SquidConfiguration
    private var process: LabProcess?

    static let secret = "00112233445566778899aabbccddeeff"

    /// - Parameter judge: who is asked about requests in opened tunnels; nobody where Squid's own check is what is tested.
    init(
        _ lab: Lab, _ allowList: AllowList, exceptions: [String] = [Lab.block], trustsLab: Bool = true,
        judge: SquidConfiguration.Judge? = nil
    ) throws {
        self.lab = lab
        folder = try TemporaryFolder(prefix: "aibox-squid")
        try TestAuthority.write(folder.path + "/authority.pem", name: "aibox sandbox authority")
        configuration = SquidConfiguration(
            address: .v4(0x7F01_0203), port: 13128, secret: Self.secret, folder: folder.path, allowList: allowList,
            targets: TargetPolicy(exceptions: exceptions.compactMap { AddressRange($0) }),
            authority: folder.path + "/authority.pem", originAuthorities: trustsLab ? [lab.authorityFile] : [],
            nameServers: IPAddress(Lab.nameServer).map { [$0] }, judge: judge)
        let path = try folder.write("squid.conf", configuration.text)
        if configuration.inspects {
            try SystemCommandRunner().require(
                lab.network.command(
                    Command(
                        SquidConfiguration.certificateGenerator,
                        ["-c", "-s", configuration.certificateDatabase, "-M", "4MB"]),
                    asOrdinaryUser: true), "the certificate database cannot be made")
        }
        let name = SquidPlace.serviceName(runFolder: folder.path)
        process = try LabProcess(
            lab.network.command(Command("squid", ["-N", "-n", name, "-f", path]), asOrdinaryUser: true), ready: nil)
        try waitUntilListening()
    }

    deinit {
        process?.stop()
        SquidPlace.clearSharedMemory(runFolder: folder.path)
    }

    private func waitUntilListening() throws {
        for _ in 0..<200 {
            let probe = lab.network.command(Command("nc", ["-z", "-w1", "127.1.2.3", "13128"]))
            if try SystemCommandRunner().run(probe).succeeded { return }
        }
        Issue.record("squid does not listen: \((try? File.text(configuration.cacheLog)) ?? "no log")")
    }

    struct Answer {
        var exitStatus: Int32
        /// Status and body as `200 text`.
        var text: String
        var errors: String
    }

    /// curl through Squid as the gateway would send it.
    func curl(_ url: String, key: String? = secret, _ more: [String] = []) throws -> Answer {
        var arguments = ["-x", "http://127.1.2.3:13128", "-o", "-", "-w", " %{http_code}"]
        if let key {
            let flag = url.hasPrefix("http:") ? "-H" : "--proxy-header"
            arguments += [flag, "X-Aibox-Key: " + key]
        }
        let result = try lab.curl(arguments + more + [url])
        let words = result.text.split(separator: " ")
        return Answer(
            exitStatus: result.termination.status,
            text: (words.last.map(String.init) ?? "") + " " + words.dropLast().joined(separator: " "),
            errors: result.errorText)
    }

    var log: [SquidLogLine] {
        ((try? File.read(configuration.accessLog)) ?? []).split(separator: 0x0A).compactMap { line in
            do { return try SquidLogLine(line) } catch {
                Issue.record("\(error): \(String(decoding: line, as: UTF8.self))")
                return nil
            }
        }
    }
}
