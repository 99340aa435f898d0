/// The volumes that a workspace's sandbox keeps from start to start: the home folder, and what package
/// managers download. Each belongs to one workspace, so that no project can poison another's cache.
public enum CacheVolumes {
    /// Purpose and place. The places are the tools' own defaults: nothing has to be configured inside.
    static let caches: [(purpose: String, target: String)] = [
        ("maven", ".m2/repository"), ("gradle", ".gradle/caches"), ("npm", ".npm"), ("yarn", ".cache/yarn"),
        ("bazel", ".cache/bazel"), ("nuget", ".nuget/packages"), ("pip", ".cache/pip"), ("cargo", ".cargo/registry"),
    ]

    private static let home = "/home/dev"

    static func homeVolume(of name: SandboxName) -> String { name.container + "-home" }

    /// What the name of every cache volume of a sandbox begins with.
    public static func cachePrefix(of name: SandboxName) -> String { name.container + "-cache-" }

    static func isCache(_ volume: String) -> Bool {
        caches.contains { volume.hasPrefix("aibox-") && volume.hasSuffix("-cache-" + $0.purpose) }
    }

    /// In mount order: the home folder before what lies in it.
    static func volumes(of name: SandboxName) -> [SandboxSpec.Volume] {
        [SandboxSpec.Volume(name: homeVolume(of: name), target: home)]
            + caches.map {
                SandboxSpec.Volume(name: cachePrefix(of: name) + $0.purpose, target: home + "/" + $0.target)
            }
    }
}
