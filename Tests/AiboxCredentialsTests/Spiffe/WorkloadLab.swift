import AiboxCredentials
import AiboxSystem
import AiboxTestSupport

/// A Workload API that is gRPC's own server (Tests/lab/workload_api.py), and the folder from which it is told how to answer.
final class WorkloadLab: Sendable {
    let folder: TemporaryFolder
    private let server: LabProcess

    /// With the packages grpcio and spiffe.
    static var python: String {
        (Environment.value("AIBOX_TEST_PYTHON") ?? "/usr/local/lib/aibox-test-python/bin") + "/python3"
    }

    init(_ state: String = "{}") throws {
        folder = try TemporaryFolder()
        try File.replace(folder.path + "/workload.json", with: state)
        server = try LabProcess(
            Command(Self.python, [Lab.programs + "/workload_api.py", folder.path + "/api.sock", folder.path]),
            ready: "ready")
    }

    var endpoint: WorkloadEndpoint {
        get throws { try WorkloadEndpoint(setting: "unix://\(folder.path)/api.sock", environment: [:]) }
    }

    func api(timeout: Duration = .seconds(20)) throws -> WorkloadAPI { WorkloadAPI(try endpoint, timeout: timeout) }

    func change(_ state: String) throws { try File.replace(folder.path + "/workload.json", with: state) }

    func fault(_ name: String) throws { try change(#"{"fault": "\#(name)"}"#) }

    var calls: [String] {
        get throws { try File.text(folder.path + "/workload.jsonl").split(separator: "\n").map(String.init) }
    }

    func stop() { server.stop() }
}
