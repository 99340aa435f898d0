import Glibc

/// Turns this process into another program (execve(2)).
public enum ProcessReplacement {
    /// - Throws: if the program cannot be run; otherwise it does not return.
    public static func become(_ command: Command) throws(AiboxError) {
        guard let path = ExecutableSearch.find(command.executable) else {
            throw AiboxError(.failed, "cannot run \(command.executable)", why: "no such program on this machine")
        }
        var environment = Environment.all
        for (name, value) in command.environment { environment[name] = value }
        let arguments = CStringArray([command.executable] + command.arguments)
        let variables = CStringArray(environment.map { $0.key + "=" + $0.value })
        // Held signals and ignored pipes are ours, not the program's.
        for number in [SIGPIPE, SIGINT, SIGTERM, SIGHUP] { signal(number, SIG_DFL) }
        let number = arguments.withPointer { argv in
            variables.withPointer { envp -> Int32 in
                guard let argv, let envp else { return EINVAL }
                execve(path, argv, envp)
                return errno
            }
        }
        throw .system("cannot run \(path)", errno: number)
    }
}
