extension SeccompProfile {
    /// The calls by which a process becomes another program.
    static let loading = ["execve", "execveat"]

    /// The same profile, but that these calls, which it allows, wait for the listener's word. All others stay as they are.
    ///
    /// A filter that a program adds cannot take this back: of two answers the kernel takes the stricter one, and "ask the
    /// listener" comes before "allow" (seccomp(2)).
    ///
    /// - Parameter listener: absolute path of the socket that the runtime sends the filter's listener to (OCI runtime
    ///   specification, config-linux.md, `listenerPath`).
    func watched(by listener: String) -> SeccompProfile {
        var profile = self
        profile.listener = listener
        profile.rules = rules.flatMap { rule -> [Rule] in
            let asked = rule.names.filter(Self.loading.contains)
            guard rule.action == .allow, !asked.isEmpty else { return [rule] }
            var (kept, watched) = (rule, rule)
            kept.names.removeAll(where: Self.loading.contains)
            watched.names = asked
            watched.action = .notify
            return (kept.names.isEmpty ? [] : [kept]) + [watched]
        }
        return profile
    }
}
