import AiboxConfig
import AiboxContainer
import AiboxSystem
import AiboxWire

/// The gateways that have a control socket, found without the sandboxes' records: nothing is cleared away, nobody is told.
enum RunningGateways {
    static func names(_ paths: Paths) -> [String] {
        ((try? Folder.names(paths.runtimeRoot)) ?? []).filter { name in
            File.exists(paths.runtimeRoot + "/" + name + "/" + Wire.controlSocket)
        }
    }

    static func client(_ name: String, _ paths: Paths, timeout: Duration) -> GatewayClient {
        GatewayClient(runFolder: paths.runtimeRoot + "/" + name, timeout: timeout)
    }
}
