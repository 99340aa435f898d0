public import AiboxSystem
import Glibc

/// Where the SPIFFE Workload API of this machine listens: a Unix socket
/// (github.com/spiffe/spiffe, standards/SPIFFE_Workload_Endpoint.md, section 4).
public struct WorkloadEndpoint: Sendable, Equatable {
    /// Absolute.
    public let path: String

    public static let variable = "SPIFFE_ENDPOINT_SOCKET"

    /// - Parameters:
    ///   - setting: `unix:///PATH`, `unix:/PATH`, or nothing: then the variable decides.
    ///   - environment: of this process.
    public init(setting: String, environment: [String: String]) throws(AiboxError) {
        let remedy = "aibox config set credentials.spiffe_endpoint unix:///PATH/TO/SOCKET"
        let text = setting.isEmpty ? environment[Self.variable] ?? "" : setting
        let source = setting.isEmpty ? Self.variable : "credentials.spiffe_endpoint"
        if text.isEmpty {
            throw AiboxError(
                .failed, "there is no SPIFFE Workload API to ask who this is",
                why: "neither credentials.spiffe_endpoint nor \(Self.variable) is set", remedy: remedy)
        }
        if text.hasPrefix("tcp:") {
            throw AiboxError(
                .failed, "\(source) cannot be used",
                why: "over tcp anybody on this machine can ask in aibox's name, and answer in the Workload API's",
                remedy: remedy)
        }
        let path =
            text.hasPrefix("unix:///")
            ? text.dropFirst("unix://".count)
            : text.hasPrefix("unix:/") && !text.hasPrefix("unix://") ? text.dropFirst("unix:".count) : ""
        let parts = path.split(separator: "/", omittingEmptySubsequences: false).dropFirst()
        guard path.hasPrefix("/"), path.utf8.count <= 1000, path.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }),
            !path.contains(where: { "?#%".contains($0) }), !parts.contains(""), !parts.contains(".."),
            !parts.contains(".")
        else {
            throw AiboxError(
                .failed, "\(source) cannot be used", why: "it is not unix:/// and an absolute path", remedy: remedy)
        }
        self.path = String(path)
    }

    /// - Throws: `integrity` if anybody may put another socket in its place. An agent may have a user of its own; where everybody may
    ///   make folders, as below /tmp, the folder has to be root's or this user's.
    func requireOwned() throws(AiboxError) {
        var below = path
        var folder = Path.parent(path)
        while true {
            var status = stat()
            var child = stat()
            if stat(folder, &status) == 0, status.st_mode & S_IWOTH != 0,
                below == path || stat(below, &child) == 0 && ![0, geteuid()].contains(child.st_uid)
            {
                throw AiboxError(
                    .integrity, "the SPIFFE Workload API at \(path) cannot be trusted",
                    why: "anybody may put another socket in its place: everybody may write to \(folder)",
                    remedy: "have the agent's socket in a folder that only root, this user or the agent's may write to")
            }
            if folder == "/" { return }
            below = folder
            folder = Path.parent(folder)
        }
    }
}
