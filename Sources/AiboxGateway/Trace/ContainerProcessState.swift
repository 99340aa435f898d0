import AiboxSystem
import AiboxWire

/// What an OCI runtime says beside a filter's listener: the container process state (OCI runtime specification,
/// config-linux.md): a document, and descriptors whose names it has in order.
struct ContainerProcessState {
    /// Which of the descriptors is the listener.
    let listener: Int

    static let sizeLimit = 64 << 10
    static let descriptorLimit = 8

    init?(_ bytes: [UInt8]) {
        guard let document = try? JSONParser.parse(bytes), let names = document["fds"]?.elements,
            names.count <= Self.descriptorLimit,
            let index = names.firstIndex(where: { $0.stringValue == "seccompFd" })
        else { return nil }
        listener = index
    }
}
