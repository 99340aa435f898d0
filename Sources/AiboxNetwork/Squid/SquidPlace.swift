import AiboxSystem

/// Where root's Squids keep their files: outside the run folder, whose parents their account cannot enter.
public enum SquidPlace {
    /// The folder that belongs to a gateway's run folder. Who clears the one away clears the other.
    public static func rootful(runFolder: String) -> String {
        "/run/aibox-squid/" + String(mark(runFolder), radix: 16)
    }

    /// A name for one Squid (`-n`): at most 32 letters and digits, no two alike on this machine, and not to be guessed by others
    /// who could take it first.
    public static func serviceName(runFolder: String) -> String {
        prefix(runFolder) + String(UInt64.random(in: 0..<1 << 60), radix: 36)
    }

    /// Removes what Squids of a gateway left in shared memory when they were killed. A single process needs none of it once it
    /// runs.
    public static func clearSharedMemory(runFolder: String) {
        for file in sharedMemory(runFolder: runFolder) { try? File.remove(file) }
    }

    /// What is there of it.
    public static func sharedMemory(runFolder: String) -> [String] {
        let prefix = prefix(runFolder)
        let names = (try? Folder.names(memory)) ?? []
        return names.filter { $0.hasPrefix(prefix) && $0.hasSuffix(".shm") }.map { memory + "/" + $0 }
    }

    private static let memory = "/dev/shm"

    private static func prefix(_ runFolder: String) -> String { "aibox\(String(mark(runFolder), radix: 36))X" }

    /// FNV-1a (RFC draft-eastlake-fnv): a short name, no secret.
    private static func mark(_ runFolder: String) -> UInt64 {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in runFolder.utf8 { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
        return hash
    }
}
