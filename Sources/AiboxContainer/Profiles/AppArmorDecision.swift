public import AiboxSystem

extension AppArmorProfile {
    /// Whether a sandbox is started under the profile.
    public enum Decision: Sendable, Equatable {
        case confined
        /// It is started without, which `start` says.
        case unconfined(why: String)

        /// What `podman run --security-opt apparmor=` is given, nil for nothing.
        public var profile: String? { self == .confined ? AppArmorProfile.name : nil }
    }

    /// Decides, fail closed: where the kernel could enforce the profile and does not, nothing starts (P5).
    ///
    /// - Parameters:
    ///   - isRequired: `gvisor.require_apparmor`: then a sandbox without the profile is not started at all.
    /// - Throws: `layerMissing`, with the command that loads the profile where that helps.
    public static func decide(
        engine: SandboxSpec.Engine, isRootful: Bool, isRequired: Bool, state: State
    ) throws(AiboxError) -> Decision {
        let why: String
        switch (engine, state) {
        // runsc reads the profile's name and ignores it; programs run on gVisor's kernel, which has no AppArmor.
        case (.gvisor, _): why = "gVisor applies no AppArmor profile"
        // Confines processes of the host's kernel; those of a Kata sandbox run on the guest's.
        case (.kata, _): why = "Kata runs the sandbox on a kernel of its own"
        // podman refuses any profile without root (containers/common, pkg/apparmor).
        case (.crun, _) where !isRootful: why = "podman applies no AppArmor profile without root"
        case (.crun, .absent(let reason)): why = reason
        case (.crun, .enforced): return .confined
        case (.crun, .notEnforced(let reason)):
            throw AiboxError(
                .layerMissing, "the AppArmor profile of the sandbox is not enforced", why: reason, remedy: remedy)
        }
        if isRequired {
            throw AiboxError(
                .layerMissing, "gvisor.require_apparmor is set, but the sandbox would run without AppArmor", why: why,
                remedy: "aibox config set gvisor.require_apparmor false")
        }
        return .unconfined(why: why)
    }
}
