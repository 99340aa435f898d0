import Testing

/// Real sandboxes, one after the other: they share podman, ports and two cores.
@Suite("Sandboxes", .serialized)
enum Sandboxes {}
