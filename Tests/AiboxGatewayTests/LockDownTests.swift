import AiboxContainer
import AiboxSystem
import AiboxTestSupport
import AiboxWire
import CLinux
import Glibc
import Testing

@testable import AiboxGateway

/// The gateway's own walls, tried by processes that stand behind them.
@Suite("Lock-down of the gateway", .serialized)
struct LockDownTests {
    /// System calls by name, tried with arguments that do no harm where they are let through: prints each with its errno.
    private static let attempts = """
        import ctypes, errno, platform, socket
        libc = ctypes.CDLL(None, use_errno=True)
        x86 = {'mount': 165, 'umount2': 166, 'pivot_root': 155, 'chroot': 161, 'setns': 308, 'unshare': 272, 'ptrace': 101,
               'process_vm_readv': 310, 'bpf': 321, 'perf_event_open': 298, 'keyctl': 250, 'init_module': 175,
               'finit_module': 313, 'kexec_load': 246, 'io_uring_setup': 425, 'userfaultfd': 323, 'memfd_create': 319,
               'execveat': 322, 'personality': 135, 'open_by_handle_at': 304, 'swapon': 167, 'clone3': 435, 'mount_setattr': 442,
               'open_tree': 428, 'fsopen': 430, 'move_mount': 429, 'pidfd_getfd': 438, 'acct': 163, 'settimeofday': 164}
        arm = {'mount': 40, 'umount2': 39, 'pivot_root': 41, 'chroot': 51, 'setns': 268, 'unshare': 97, 'ptrace': 117,
               'process_vm_readv': 270, 'bpf': 280, 'perf_event_open': 241, 'keyctl': 219, 'init_module': 105,
               'finit_module': 273, 'kexec_load': 104, 'io_uring_setup': 425, 'userfaultfd': 282, 'memfd_create': 279,
               'execveat': 281, 'personality': 92, 'open_by_handle_at': 265, 'swapon': 224, 'clone3': 435, 'mount_setattr': 442,
               'open_tree': 428, 'fsopen': 430, 'move_mount': 429, 'pidfd_getfd': 438, 'acct': 89, 'settimeofday': 170}
        for name, number in (arm if platform.machine() == 'aarch64' else x86).items():
            ctypes.set_errno(0)
            # Arguments that no call takes for good.
            result = libc.syscall(number, *[ctypes.c_long(-1)] * 6)
            print(name, errno.errorcode.get(ctypes.get_errno(), 'none') if result == -1 else 'done')
        def opens(name, *kind):
            try: socket.socket(*kind).close(); print(name, 'done')
            except OSError as e: print(name, errno.errorcode[e.errno])
        import os
        for name, mode in ('device', 0o020600), ('fifo', 0o010600):
            place = '/dev/shm/aibox-probe-%d' % os.getpid()
            try:
                os.mknod(place, mode, os.makedev(1, 3)); os.unlink(place); print(name, 'done')
            except OSError as e: print(name, errno.errorcode[e.errno])
        opens('packet', 17, 3, 0)
        opens('raw', socket.AF_INET, socket.SOCK_RAW, 1)
        opens('vsock', 40, 1, 0)
        opens('netfilter', 16, 3, 12)
        opens('route', 16, 3, 0)
        opens('tcp', socket.AF_INET, socket.SOCK_STREAM)
        opens('udp6', socket.AF_INET6, socket.SOCK_DGRAM)
        opens('unix', socket.AF_UNIX, socket.SOCK_STREAM)
        """

    private static func outcomes(_ text: String) -> [String: String] {
        var found: [String: String] = [:]
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ").map(String.init)
            if words.count == 2 { found[words[0]] = words[1] }
        }
        return found
    }

    @Test("what no gateway needs is not there for it, nor for what it starts; without the filter it is")
    func calls() async throws {
        let result = await #expect(processExitsWith: .success, observing: [\.standardOutputContent]) {
            _ = aibox_set_no_new_privileges()
            try SystemCallFilter.load(netlink: [0])
            let probe = try SystemCommandRunner().run(Command("/usr/bin/python3", ["-c", Self.attempts]))
            print(probe.text, probe.errorText)
        }
        let bound = Self.outcomes(String(decoding: result?.standardOutputContent ?? [], as: UTF8.self))
        let free = Self.outcomes(
            try SystemCommandRunner().run(Command("/usr/bin/python3", ["-c", Self.attempts])).text)
        let usable: Set<String> = ["route", "tcp", "udp6", "unix"]
        #expect(bound.count == 39 && free.count == 39, "\(bound)")
        for (name, outcome) in bound {
            #expect(usable.contains(name) ? outcome == "done" : outcome == "ENOSYS", "\(name): \(outcome)")
        }
        let missing = free.filter { !usable.contains($0.key) && $0.value == "ENOSYS" }.map(\.key)
        #expect(missing.count <= 3, "the control: this kernel lacks \(missing)")
        #expect(usable.allSatisfy { free[$0] == "done" })
    }

    @Test("files beyond the gateway's own are closed to it, and programs beyond its servers do not start")
    func files() async throws {
        let folder = try TemporaryFolder(prefix: "aibox-lockdown")
        for name in ["own", "other"] { try folder.write(name + "/file", "text") }
        try #require(aibox_landlock_version() > 0, "this kernel has no Landlock")
        let place = folder.path
        await #expect(processExitsWith: .success) { [place = place as String] in
            _ = aibox_set_no_new_privileges()
            let runner = SystemCommandRunner()
            func refused(_ what: String, _ body: () throws -> Void) {
                do { try body() } catch { return }
                // This process is the exit test's: how it ends is what it says.
                print("\(what) was possible")
                exit(EXIT_FAILURE)
            }
            let before = try runner.run(Command("/bin/true", [])).succeeded
            precondition(before)
            let access = FileAccess(
                readable: ["/usr", "/lib", "/lib64", "/etc/ld.so.cache"], writable: [place + "/own", "/dev/null"],
                programs: ["/bin/echo", "/lib64/ld-linux-x86-64.so.2", "/lib/ld-linux-aarch64.so.1"])
            let version = try access.enforce()
            let own = try File.text(place + "/own/file")
            precondition(version > 0 && own == "text")
            try File.replace(place + "/own/new", with: "x")
            try File.remove(place + "/own/new")
            refused("reading") { _ = try File.text(place + "/other/file") }
            refused("listing") { _ = try Folder.names(place) }
            refused("writing") { try File.replace(place + "/other/new", with: "x") }
            refused("removing") { try File.remove(place + "/other/file") }
            refused("moving away") {
                if rename(place + "/other/file", place + "/own/stolen") != 0 { throw AiboxError(.failed, "refused") }
            }
            let started = try runner.run(Command("/bin/echo", ["yes"])).text
            precondition(started == "yes")
            refused("starting a program") { _ = try runner.run(Command("/bin/true", [])) }
        }
    }

    @Test("daemon and holder stand behind it with all their threads")
    func live() throws {
        let gateway = try LiveGateway()
        #expect(try gateway.client.status().landlock == Int(aibox_landlock_version()))
        for pid in [gateway.ready.pid, gateway.holderPid] {
            for thread in try Folder.names("/proc/\(pid)/task") {
                let lines = try File.text("/proc/\(pid)/task/\(thread)/status").split(separator: "\n")
                #expect(lines.contains("Seccomp:\t2") && lines.contains("NoNewPrivs:\t1"), "\(pid) \(thread)")
            }
        }
    }

    @Test("the daemon's walls leave out homes, keys and other sandboxes")
    func daemonFiles() {
        let settings = LiveGateway.settings(runFolder: "/run/user/1/aibox/one")
        let access = LockDown.files(settings)
        let open = access.readable + access.writable
        for path in ["/", "/root", "/home", "/etc", "/var", "/run", "/run/user/1", "/run/user/1/aibox", "/dev", "/tmp"]
        {
            #expect(!open.contains(path), "\(path)")
        }
        #expect(access.programs.allSatisfy { !$0.hasSuffix("/bin/sh") && $0 != "/usr/bin" && $0 != "/" })
    }
}
