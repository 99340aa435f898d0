import AiboxCrypto
import AiboxSystem
import AiboxWire
import Glibc

/// The folder in which `aibox-docker-runtime` looks for what a container is to get, and the files shown inside.
///
/// It is this user's alone, and so is every file in it: `ID.json` is a request, `ID.bundle` says that it was used and
/// where, `files` holds what podman would keep as secrets.
struct DockerRequests: Sendable {
    let folder: String

    private func path(_ id: String, _ ending: String) -> String { "\(folder)/\(id).\(ending)" }

    func write(_ request: RuntimeRequest, for id: String) throws(AiboxError) {
        try Folder.makePrivate(folder)
        try File.replace(path(id, "json"), with: request.json.bytes)
    }

    func request(_ id: String) throws(AiboxError) -> RuntimeRequest {
        let file = path(id, "json")
        do {
            return try RuntimeRequest(json: try JSONParser.parse(try File.read(file, limit: 1 << 20)))
        } catch let error as AiboxError {
            throw error
        } catch {
            throw AiboxError(.integrity, "cannot use \(file)", why: "\(error)")
        }
    }

    /// The folder of `config.json` that the runtime was given, as the daemon names it.
    func bundle(_ id: String) throws(AiboxError) -> String { try File.text(path(id, "bundle"), limit: 4096) }

    /// Forgets the requests for containers of that name, also those of another version of aibox. What another command has
    /// just removed, or what nobody can read, says nothing of that name and is left alone.
    func forget(_ container: String) throws(AiboxError) {
        if !File.exists(folder) { return }
        for name in try Folder.names(folder) where name.hasSuffix(".json") && !name.hasPrefix(".") {
            let id = String(name.dropLast(5))
            guard let bytes = try? File.read(path(id, "json"), limit: 1 << 20),
                let json = try? JSONParser.parse(bytes), json["container"]?.stringValue == container
            else { continue }
            try File.remove(path(id, "bundle"))
            try File.remove(path(id, "json"))
        }
    }

    // MARK: Files

    private var files: String { folder + "/files" }

    func file(_ name: String) -> String { files + "/" + name }

    /// Keeps a file that a sandbox is to be shown. The name holds a digest of the content.
    ///
    /// - Parameter mode: as the sandbox's user, whose file it is, sees it.
    func keep(_ name: String, _ content: [UInt8], mode: UInt32) throws(AiboxError) {
        try Folder.makePrivate(folder)
        try Folder.makePrivate(files)
        try File.replace(file(name), with: content, mode: mode)
        if geteuid() == 0, chown(file(name), SandboxSpec.user, SandboxSpec.user) != 0 {
            throw .system("cannot give \(file(name)) to the sandbox's user", errno: errno)
        }
    }

    func removeFile(_ name: String) throws(AiboxError) { try File.remove(file(name)) }

    func fileNames(prefix: String) throws(AiboxError) -> [String] {
        File.exists(files) ? try Folder.names(files).filter { $0.hasPrefix(prefix) } : []
    }
}
