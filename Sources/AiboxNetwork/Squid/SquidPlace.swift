/// Where root's Squids keep their files: outside the run folder, whose parents their account cannot enter.
public enum SquidPlace {
    /// The folder that belongs to a gateway's run folder. Who clears the one away clears the other.
    public static func rootful(runFolder: String) -> String {
        // FNV-1a (RFC draft-eastlake-fnv): a short name, no secret.
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in runFolder.utf8 { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
        return "/run/aibox-squid/" + String(hash, radix: 16)
    }

    /// What Squid leaves in shared memory when it is killed. One process needs none of it once it runs.
    ///
    /// - Parameter name: as given with `-n`.
    public static func sharedMemory(of name: String) -> [String] {
        ["readers", "queues", "metadata"].map { "/dev/shm/\(name)-cf__\($0).shm" }
    }
}
