public import AiboxSystem

/// Removes cache volumes; the next start makes them anew.
public struct CacheRepair: Sendable {
    let context: SandboxContext

    public init(context: SandboxContext) { self.context = context }

    /// - Parameter name: the sandbox whose caches go; nil for all of this user's.
    /// - Returns: the volumes removed.
    public func empty(_ name: SandboxName?) throws(AiboxError) -> [String] {
        let prefix = name.map(CacheVolumes.cachePrefix) ?? "aibox-"
        let volumes = try context.podman.volumes(prefix: prefix).filter { CacheVolumes.isCache($0) }
        for volume in volumes { try context.podman.removeVolume(volume) }
        return volumes
    }
}
