/// The volumes that a workspace's sandbox keeps from start to start: the home folder, and what package
/// managers download. They belong to one workspace, so that no project can poison another's cache.
///
/// Two, not one a package manager: podman has 2,048 locks, and every volume takes one. The image leads the tools'
/// own places (`.m2/repository`, `.npm`, ...) into `.cache` by symbolic links.
enum CacheVolumes {
    static let home = "/home/dev"
    private static let cacheSuffix = "-cache"

    private static func homeVolume(of name: SandboxName) -> String { name.container + "-home" }

    static func cacheVolume(of name: SandboxName) -> String { name.container + cacheSuffix }

    static func isCache(_ volume: String) -> Bool { volume.hasPrefix("aibox-") && volume.hasSuffix(cacheSuffix) }

    /// In mount order: the home folder before what lies in it.
    static func volumes(of name: SandboxName) -> [SandboxSpec.Volume] {
        [
            SandboxSpec.Volume(name: homeVolume(of: name), target: home),
            SandboxSpec.Volume(name: cacheVolume(of: name), target: home + "/.cache"),
        ]
    }
}
