import AiboxEmbedded
import AiboxSystem
import Testing

@Suite("Embedded files")
struct EmbeddedFileTests {
    private static let repository = Path.parent(Path.parent(Path.parent(#filePath)))

    private static func files(below folder: String) throws -> [String] {
        guard File.exists(repository + "/" + folder) else { return [] }
        return try Folder.names(repository + "/" + folder).flatMap { name in
            let path = folder + "/" + name
            return File.isDirectory(repository + "/" + path) ? try files(below: path) : [path]
        }
    }

    @Test("every file under configs, aibox-policies/org and aibox-images is embedded as it is in the repository")
    func complete() throws {
        let files =
            try Self.files(below: "configs") + Self.files(below: "aibox-policies/org")
            + Self.files(below: "aibox-images")
        #expect(files.contains("configs/templates/minimal.yaml"))
        let missing = Set(files).subtracting(EmbeddedFile.paths).sorted()
        #expect(missing.isEmpty, "add to Sources/CEmbedded/embedded.c:\n\(missing.map(Self.rows).joined())")
        for path in EmbeddedFile.paths {
            #expect(EmbeddedFile.bytes(path) == (try? File.read(Self.repository + "/" + path)), "\(path)")
        }
    }

    @Test("a path that is not embedded has no bytes")
    func absent() {
        #expect(EmbeddedFile.bytes("configs/none") == nil)
        #expect(EmbeddedFile.text("") == nil)
    }

    /// What to add for a file.
    private static func rows(_ path: String) -> String {
        let name = String(path.map { $0.isLetter || $0.isNumber ? $0 : "_" })
        return """
            static const unsigned char \(name)[] = {
            #embed "../../\(path)"
            };
                ROW("\(path)", \(name)),

            """
    }
}
