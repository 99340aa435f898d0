public import AiboxSystem
import CAppArmor
import Glibc

/// The AppArmor profile of a sandbox (`configs/apparmor/aibox-sandbox`): whether this kernel enforces it.
public enum AppArmorProfile {
    /// The profile's name, which `podman run --security-opt apparmor=` takes.
    public static let name = "aibox-sandbox"

    /// What an administrator runs to load it.
    public static let remedy = "sudo aibox setup --system"

    /// Where the layer stands.
    public enum State: Sendable, Equatable {
        /// This kernel has no AppArmor, or it was switched off at boot: there is nothing to enforce.
        case absent(why: String)
        /// Loaded, and in enforce mode.
        case enforced
        /// The kernel has AppArmor, but the profile does not bind anybody; or nobody can tell.
        case notEnforced(why: String)
    }

    /// Asks the kernel, by libapparmor.
    public static var state: State {
        if aa_is_enabled() != 1 {
            // aa_is_enabled(2): ENOSYS no module, ECANCELED switched off at boot; anything else hides an AppArmor.
            switch errno {
            case ENOSYS: return .absent(why: "this kernel has no AppArmor")
            case ECANCELED: return .absent(why: "AppArmor is switched off on the kernel's command line")
            case let number: return .notEnforced(why: "AppArmor's state cannot be read: \(describe(errno: number))")
            }
        }
        var mount: UnsafeMutablePointer<CChar>?
        guard aa_find_mountpoint(&mount) == 0, let mount else {
            return .notEnforced(why: "AppArmor's files are not mounted: \(describe(errno: errno))")
        }
        defer { free(mount) }
        return state(interface: String(cString: mount))
    }

    /// The state as the kernel's files tell it.
    ///
    /// - Parameter interface: the folder of AppArmor's files, `/sys/kernel/security/apparmor`. An ordinary user can read
    ///   `policy/profiles` of it; `profiles` is for root alone.
    static func state(interface: String) -> State {
        guard let mode = mode(interface: interface) else {
            return .notEnforced(why: "the profile \(name) is not loaded")
        }
        return mode == "enforce" ? .enforced : .notEnforced(why: "the profile \(name) is in \(mode) mode")
    }

    private static func mode(interface: String) -> String? {
        let folder = interface + "/policy/profiles"
        for entry in (try? Folder.names(folder)) ?? [] where entry.hasPrefix(name + ".") {
            if line(folder + "/\(entry)/name") == name, let mode = line(folder + "/\(entry)/mode") { return mode }
        }
        guard let list = try? File.text(interface + "/profiles") else { return nil }
        for line in list.split(separator: "\n") where line.hasPrefix(name + " (") && line.hasSuffix(")") {
            return String(line.dropFirst(name.count + 2).dropLast())
        }
        return nil
    }

    private static func line(_ path: String) -> String? {
        (try? File.text(path))?.split(separator: "\n").first.map(String.init)
    }
}

extension AppArmorProfile {
    /// Compiles a profile without loading it; needs no AppArmor in the kernel.
    ///
    /// - Throws: what `apparmor_parser` says is wrong, with file and line.
    public static func check(_ path: String, runner: some CommandRunner) throws(AiboxError) {
        try runner.require(
            Command("apparmor_parser", ["--skip-kernel-load", "--skip-read-cache", "--skip-cache", path]),
            "the AppArmor profile \(path) cannot be used",
            remedy: "sudo apt-get install apparmor, or install aibox again")
    }

    /// What loads it, or replaces the loaded one; for root.
    public static func loading(_ path: String) -> Command {
        Command("apparmor_parser", ["--replace", "--write-cache", path])
    }
}
