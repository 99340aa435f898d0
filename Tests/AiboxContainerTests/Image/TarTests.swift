import AiboxSystem
import AiboxTestSupport
import Glibc
import Testing

@testable import AiboxContainer

@Suite("Tar archives")
struct TarTests {
    private let runner = SystemCommandRunner()

    private func entry(_ path: String, _ kind: TarEntry.Kind = .file, mode: UInt32 = 0o644) -> TarEntry {
        TarEntry(path: path, kind: kind, mode: mode, uid: 1000, gid: 1000, size: 0, modified: 1_700_000_000)
    }

    @Test(
        "what is written is read back",
        arguments: [
            ("a short path", "etc/passwd", "etc/link"),
            ("a path of exactly 100 bytes", String(repeating: "a", count: 100), "b"),
            (
                "a long path that splits", String(repeating: "d", count: 90) + "/" + String(repeating: "f", count: 90),
                "b"
            ),
            ("a name too long to split", String(repeating: "n", count: 200), "b"),
            ("a path too long to split", String(repeating: "p/", count: 200) + "f", "b"),
            ("letters outside ASCII", "etc/ssl/certs/Főtanúsítvány.crt", "é"),
            ("a link with a long target", "x", String(repeating: "t/", count: 120) + "t"),
        ])
    func roundTrip(_ name: String, _ path: String, _ target: String) throws {
        let folder = try TemporaryFolder()
        let entries = [
            (entry("", .folder, mode: 0o755), [UInt8]()), (entry("dir", .folder, mode: 0o1777), []),
            (entry(path), Array("content of the file".utf8)), (entry("empty"), []),
            (entry("link", .symbolicLink(target: target)), []), (entry("hard", .hardLink(target: path)), []),
            (entry("exact"), [UInt8](repeating: 7, count: 512)), (entry("last"), [UInt8](repeating: 8, count: 70_000)),
        ]
        let archive = try ArchiveFixture.write(entries, to: folder.path + "/a.tar")
        let read = try ArchiveFixture.read(archive.path)
        #expect(read.map(\.entry.path) == entries.map(\.0.path))
        #expect(read.map(\.entry.kind) == entries.map(\.0.kind))
        #expect(read.map(\.content) == entries.map(\.1))
        #expect(read.map(\.entry.mode) == entries.map(\.0.mode))
        #expect(read.allSatisfy { $0.entry.modified == 1_700_000_000 && $0.entry.uid == 1000 })
        // The tool that everybody has reads the same.
        let listed = try runner.require(Command("tar", ["tf", archive.path, "--quoting-style=literal"]), "tar")
        #expect(listed.text.split(separator: "\n").count == entries.count)
        #expect(listed.text.contains(path))
        let digest = try runner.require(Command("sha256sum", [archive.path]), "sha256sum").text.prefix(64)
        #expect(archive.result.digest.hexadecimal == digest)
        #expect(try File.read(archive.path).count == archive.result.size)
    }

    @Test("archives of GNU tar are read in its formats", arguments: ["gnu", "pax", "ustar"])
    func foreign(_ format: String) throws {
        let folder = try TemporaryFolder()
        let long = String(repeating: "long-folder-name/", count: format == "ustar" ? 6 : 15) + "file"
        try folder.write("tree/" + long, "one")
        try folder.write("tree/etc/conf", String(repeating: "x", count: 1500))
        #expect(symlink("conf", folder.path + "/tree/etc/link") == 0)
        try runner.require(
            Command(
                "tar",
                ["--format=" + format, "--sort=name", "-C", folder.path + "/tree", "-cf", folder.path + "/t", "."]),
            "tar")
        let read = try ArchiveFixture.read(folder.path + "/t")
        #expect(read.contains { $0.entry.path == long && $0.content == Array("one".utf8) })
        #expect(read.contains { $0.entry.path == "etc/link" && $0.entry.kind == .symbolicLink(target: "conf") })
        #expect(read.first { $0.entry.path == "etc/conf" }?.content.count == 1500)
        #expect(read.first?.entry.path == "")
    }

    @Test("a damaged archive is an error, wherever it is cut or changed")
    func damaged() throws {
        let folder = try TemporaryFolder()
        let archive = try ArchiveFixture.write(
            [(entry("a"), [UInt8](repeating: 1, count: 700)), (entry("b"), [2])], to: folder.path + "/a.tar")
        let bytes = try File.read(archive.path)
        for cut in [1, 511, 513, 900, 1500] {
            try File.replace(archive.path, with: Array(bytes.prefix(cut)))
            #expect(throws: AiboxError.self, "cut at \(cut)") { try ArchiveFixture.read(archive.path) }
        }
        for place in [0, 100, 124, 136, 148] {
            var changed = bytes
            changed[place] ^= 0x41
            try File.replace(archive.path, with: changed)
            #expect(throws: AiboxError.self, "changed at \(place)") { try ArchiveFixture.read(archive.path) }
        }
    }

    @Test("random bytes never crash the reader")
    func fuzz() throws {
        let folder = try TemporaryFolder()
        let archive = try ArchiveFixture.write(
            [(entry(String(repeating: "q", count: 150)), [1, 2, 3]), (entry("b", .symbolicLink(target: "c")), [])],
            to: folder.path + "/a.tar")
        let bytes = try File.read(archive.path)
        var random = SystemRandomNumberGenerator()
        for _ in 0..<300 {
            var changed = bytes
            for _ in 0..<Int.random(in: 1...8, using: &random) {
                changed[Int.random(in: 0..<changed.count, using: &random)] = .random(in: 0...255, using: &random)
            }
            // A header with a right checksum, so that the fields behind it are reached.
            let sum = String(TarHeader.checksum(Array(changed[0..<512])), radix: 8)
            for (index, byte) in (String(repeating: "0", count: max(0, 6 - sum.count)) + sum + "\0 ").utf8.enumerated()
            where index < 8 { changed[148 + index] = byte }
            try File.replace(archive.path, with: changed)
            _ = try? ArchiveFixture.read(archive.path)
        }
    }

    @Test(
        "a pax record counts its own length",
        arguments: [
            ("a", 1), ("path", 88), ("path", 89), ("path", 90), ("path", 91), ("linkpath", 984), ("linkpath", 985),
        ])
    func paxRecord(_ key: String, _ count: Int) {
        let record = TarWriter.record(key, String(repeating: "v", count: count))
        #expect(Int(record.prefix { $0 != " " }) == record.utf8.count)
    }
}
