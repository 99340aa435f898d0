import AiboxSystem
import Testing

@testable import AiboxContainer

/// The profile as the runtimes apply it, attacked from inside.
@Suite("The seccomp profile in containers", .serialized)
struct SeccompContainerTests {
    struct Place: Sendable, CustomTestStringConvertible {
        let runtime: ProfileContainer.Runtime
        let owner: ProfileContainer.Owner
        var testDescription: String { "\(runtime.rawValue), \(owner)" }

        static let all = ProfileContainer.Owner.possible.flatMap { owner in
            ProfileContainer.Runtime.allCases.map { Place(runtime: $0, owner: owner) }
        }
    }

    private func container(_ place: Place) throws -> ProfileContainer {
        let probe = try ProbeProgram()
        return try ProfileContainer(place.runtime, place.owner) { root in
            try File.replace(root + "/probe", with: try File.read(probe.path), mode: 0o755)
        }
    }

    private func outcomes(
        _ container: ProfileContainer, _ filter: ProfileContainer.Filter, _ privileges: ProfileContainer.Privileges
    ) throws -> [String: String] {
        let result = try container.run(["/probe"], filter: filter, privileges: privileges)
        #expect(result.succeeded, "\(result.errorText)")
        return probeOutcomes(result.text)
    }

    @Test(
        "a sandbox's user is refused every call of the table, and so is root with every capability",
        arguments: Place.all)
    func refused(_ place: Place) throws {
        let container = try container(place)
        for privileges in [ProfileContainer.Privileges.sandbox, .everything] {
            let found = try outcomes(container, .profile, privileges)
            #expect(found.count == ProbeRow.all.count)
            for row in ProbeRow.all {
                if case .same = row.control { continue }
                let wanted = place.runtime == .runsc ? row.gvisor : row.kernel
                #expect(found[row.name] == wanted, "\(row.name), \(privileges)")
            }
        }
    }

    /// What every kernel that runs the container answers to its root, so that a difference is the profile's doing. gVisor
    /// has no such call for most of the others, and a user's own namespace refuses some to its root.
    private static let everywhere = [
        "clone_user", "clone_uts", "clone3_user", "unshare_user", "setns", "mount", "umount", "pivot_root", "chroot",
        "ptrace_attach", "ptrace_self", "read_memory", "tiocsti", "tioclinux",
    ]

    @Test(
        "without the profile the same calls reach the kernel, and with it the work goes on", arguments: Place.all)
    func control(_ place: Place) throws {
        let container = try container(place)
        let open = try outcomes(container, .none, .everything)
        let closed = try outcomes(container, .profile, .everything)
        let user = try outcomes(container, .profile, .sandbox)
        let isRootful = place.owner == .caller && UserIdentity.current.isRoot
        for row in ProbeRow.all {
            switch row.control {
            case .same:
                #expect(closed[row.name] == open[row.name] && user[row.name] == open[row.name], "\(row.name)")
            case .reaches where place.runtime == .crun && isRootful:
                #expect(open[row.name] != nil && open[row.name] != row.kernel, "\(row.name)")
            case .reaches, .mayBeAbsent: break
            }
        }
        for name in Self.everywhere {
            #expect(open[name] != nil && open[name] != closed[name], "\(name): \(open[name] ?? "-")")
        }
    }
}
