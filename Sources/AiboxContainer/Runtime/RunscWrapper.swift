import AiboxSystem

/// The script that podman runs in place of `runsc`.
///
/// It is there for three facts:
/// 1. runsc ignores the OCI seccomp profile unless told `--oci-seccomp`.
/// 2. On Linux 6.11 and later a runsc from before August 2024 takes every network namespace for the
///    root one, because `/proc/sys/net/core/rmem_default` shows in all of them
///    (https://github.com/google/gvisor/issues/10704). Hidden behind an empty mount in a private mount
///    namespace, it does not.
/// 3. conmon passes `--tty` to `exec`, which runsc does not know; the process description says it already.
///
/// `set --` keeps every argument a word of its own: nothing is expanded twice (P10).
public struct RunscWrapper: Sendable, Equatable {
    /// Absolute path of the runsc binary.
    public let runsc: String
    /// Rootless, runsc may not make cgroups; rootful it makes them and enforces the limits.
    public let ignoresCgroups: Bool

    /// The file that says which trace points go where; nil: none do.
    public let traceSession: String?

    public init(runsc: String, ignoresCgroups: Bool, traceSession: String? = nil) {
        self.traceSession = traceSession
        self.runsc = runsc
        self.ignoresCgroups = ignoresCgroups
    }

    public var flags: [String] {
        (ignoresCgroups ? ["--ignore-cgroups"] : []) + ["--network=sandbox", "--oci-seccomp"]
            + (traceSession.map { ["--pod-init-config=" + ShellQuoting.quoted($0)] } ?? [])
    }

    public var text: String {
        """
        #!/bin/sh
        # Written by aibox: podman's way to gVisor. docs/architecture.md says why each line is here.
        n=$#
        while [ "$n" -gt 0 ]; do
            word=$1; shift; n=$((n - 1))
            case $word in --tty | -t) ;; *) set -- "$@" "$word" ;; esac
        done
        exec unshare --mount --propagation slave -- /bin/sh -c \\
            'mount -t tmpfs -o ro,size=4k,mode=555 tmpfs /proc/sys/net && exec "$0" "$@"' \\
            \(ShellQuoting.quoted(runsc)) \(flags.joined(separator: " ")) "$@"

        """
    }
}
