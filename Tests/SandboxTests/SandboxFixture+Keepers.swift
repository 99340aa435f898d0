import AiboxSystem
import AiboxTestSupport
import Glibc

extension SandboxFixture {
    /// Processes that hold a journal of this aibox, as the kernel's table of locks has them: nobody may look at what else
    /// they hold.
    func leaseKeepers() throws -> [Int32] {
        let folder = aibox.home.path + "/state/aibox/leases"
        let locks = try File.text("/proc/locks").split(separator: "\n").map { $0.split(separator: " ") }
        var found: [Int32] = []
        for name in (try? Folder.names(folder)) ?? [] where name.hasSuffix(".lock") {
            var status = stat()
            guard stat(folder + "/" + name, &status) == 0 else { continue }
            for lock in locks where lock.count > 5 && lock[5].hasSuffix(":\(status.st_ino)") {
                if let pid = Int32(lock[4]), pid > 0 { found.append(pid) }
            }
        }
        return found
    }
}
