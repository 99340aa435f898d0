public import AiboxSystem

/// Removes cache volumes; the next start makes them anew.
public struct CacheRepair: Sendable {
    let context: SandboxContext

    public init(context: SandboxContext) { self.context = context }

    /// - Parameter name: the sandbox whose cache goes; nil for all of this user's.
    /// - Returns: the volumes removed.
    public func empty(_ name: SandboxName?) throws(AiboxError) -> [String] {
        let engine = try context.configuredEngine()
        let volumes = try engine.volumes(prefix: name.map(CacheVolumes.cacheVolume) ?? "aibox-")
            .filter { volume in name.map { volume == CacheVolumes.cacheVolume(of: $0) } ?? CacheVolumes.isCache(volume)
            }
        for volume in volumes { try engine.removeVolume(volume) }
        return volumes
    }
}
