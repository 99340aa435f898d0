import AiboxSystem
import AiboxTestSupport
import Testing

@testable import AiboxPolicy

@Suite("Archives of bundles")
struct BundleArchiveTests {
    private static let files = [
        BundleFile(name: ".manifest", bytes: Array("{}".utf8)),
        BundleFile(
            name: "a/" + String(repeating: "b", count: 99) + "/policy.rego", bytes: Array(repeating: 7, count: 600)),
        BundleFile(name: "policy.yaml", bytes: []),
    ]

    private func fault(_ tar: [UInt8]) -> String {
        do throws(BundleFault) {
            _ = try BundleTar.read(tar)
            return "accepted"
        } catch { return error.why }
    }

    /// A tar archive with one entry, its header changed.
    private func tar(
        _ name: String = "policy.yaml", content: String = "x", type: Character = "0",
        _ change: (inout [UInt8]) -> Void = { _ in }
    ) throws -> [UInt8] {
        var header = try BundleTarHeader.bytes(name: "n", size: content.utf8.count)
        header.replaceSubrange(0..<100, with: Array(name.utf8) + [UInt8](repeating: 0, count: 100 - name.utf8.count))
        header[156] = type.asciiValue ?? 0
        change(&header)
        // The sum with the checksum's own bytes as spaces (POSIX.1-2017, pax).
        let sum = header.enumerated().reduce(0) { $0 + ((148..<156).contains($1.offset) ? 0x20 : Int($1.element)) }
        let digits = String(sum, radix: 8)
        header.replaceSubrange(
            148..<155, with: Array((String(repeating: "0", count: 6 - digits.count) + digits).utf8) + [0])
        return header + Array(content.utf8) + [UInt8](repeating: 0, count: 512 - content.utf8.count)
    }

    private static let end = [UInt8](repeating: 0, count: 1024)

    @Test("what is packed is read back, and tar(1) reads it too")
    func roundTrip() throws {
        let packed = try BundleArchive.pack(Self.files)
        #expect(try BundleArchive.files(packed) == Self.files)
        #expect(try BundleArchive.pack(Self.files) == packed)
        let listed = try SystemCommandRunner().run(Command("tar", ["-tz"], input: packed))
        #expect(listed.succeeded && listed.text.split(separator: "\n").map(String.init) == Self.files.map(\.name))
    }

    @Test("archives of tar(1), in each of its formats, and of Python are read", arguments: ["ustar", "gnu", "python"])
    func others(format: String) throws {
        let fixture = try BundleFixture()
        try fixture.write("b/.manifest", [1])
        try fixture.write("b/rules/a.rego", [2])
        let packed = fixture.folder.path + "/b.tar.gz"
        let folder = fixture.folder.path + "/b"
        let program = """
            import sys, tarfile
            with tarfile.open(sys.argv[1], "w:gz") as archive: archive.add(sys.argv[2], arcname=".")
            """
        let command =
            format == "python"
            ? Command("python3", ["-c", program, packed, folder])
            : Command("tar", ["-czf", packed, "--format", format, "-C", folder, "."])
        try SystemCommandRunner().require(command, "cannot pack")
        let files = try BundleArchive.files(try File.read(packed))
        #expect(files.map(\.name).sorted() == [".manifest", "rules/a.rego"])
    }

    @Test(
        "a name that leads out, or to nothing, is refused",
        arguments: [
            "../policy.yaml", "a/../../b", "a//b", "a/./b", "//etc/passwd", "..", ".", "a\\b", "a\nb", "a\u{1b}[2J", "",
            "./../x", "a/", "/", "././policy.yaml",
        ])
    func names(name: String) throws {
        #expect(fault(try tar(name) + Self.end).contains("is named") == true)
    }

    @Test(
        "links, devices, pipes and unknown things are refused",
        arguments: ["1", "2", "3", "4", "6", "7", "L", "K", "S", "V"])
    func kinds(type: String) throws {
        #expect(fault(try tar(type: Character(type)) + Self.end).contains("neither a file nor a folder"))
    }

    @Test("an extended header may tell of times, not of names and sizes")
    func extended() throws {
        let file = try tar() + Self.end
        for (record, isFine) in [
            ("22 mtime=1700000000.5\n", true), ("14 path=../x1\n", false), ("12 size=100\n", false),
            ("19 linkpath=/etc/x\n", false), ("21 GNU.sparse.size=10\n", false), ("9999 mtime=1\n", false),
            ("0 mtime=1\n", false), ("-5 mtime=1\n", false), ("nonsense", false), ("5 a=1", false),
        ] {
            let said = fault(try tar("x", content: record, type: "x") + file)
            #expect((said == "accepted") == isFine, "\(record) \(said)")
        }
    }

    @Test("the same name twice, also in another spelling, is refused")
    func twice() throws {
        for name in ["policy.yaml", "./policy.yaml", "/policy.yaml"] {
            #expect(fault(try tar() + tar(name) + Self.end) == "it holds policy.yaml twice")
        }
    }

    @Test("what is cut short, damaged, or goes on after its end is refused")
    func damaged() throws {
        let whole = try tar() + Self.end
        #expect(fault(whole) == "accepted")
        for count in [0, 1, 511, 512, 600, 1023, 1024] {
            #expect(fault(Array(whole.prefix(count))) == "its archive is cut short", "\(count)")
        }
        let files = try BundleTar.read(whole)
        for index in 0..<512 {
            var other = whole
            other[index] ^= 0x10
            // A space in the place of a leading zero says the same.
            #expect((try? BundleTar.read(other)) ?? files == files, "byte \(index)")
            #expect((148..<156).contains(index) || fault(other) != "accepted", "byte \(index)")
        }
        #expect(fault(whole + (try tar("other"))) == "something follows the end of its archive")
        #expect(
            fault(try tar { $0.replaceSubrange(124..<136, with: Array("77777777777\0".utf8)) } + Self.end).contains(
                "cut"))
        for size in ["-0000000001\0", "\u{0}0000000001", "0000000009 \0", "0x000000001\0"] where size.utf8.count == 12 {
            #expect(fault(try tar { $0.replaceSubrange(124..<136, with: Array(size.utf8)) } + Self.end) != "accepted")
        }
        #expect(fault(try tar { $0[124] = 0x80 } + Self.end).contains("number"))
        #expect(
            fault(try tar { $0.replaceSubrange(257..<262, with: Array("xstar".utf8)) } + Self.end).contains("no tar"))
    }

    @Test("more files than there may be are refused")
    func many() throws {
        let one = try tar(content: "")
        var tar: [UInt8] = []
        for number in 0...BundleTar.largestCount { tar += try self.tar("f\(number)", content: "").prefix(512) }
        #expect(fault(tar + Self.end).contains("more than 1024 files"))
        let folders = try self.tar("d", content: "", type: "5").prefix(512)
        #expect(fault(Array((0..<5000).map { _ in folders }.joined()) + Self.end).contains("more than 1024 files"))
        #expect(one.count == 1024)
    }

    @Test("a gzip file that unpacks to more than there may be ends early")
    func bomb() throws {
        let bomb = try Gzip.compress([UInt8](repeating: 0, count: BundleArchive.largestUnpacked + 1))
        #expect(bomb.count < 1 << 18)
        #expect(throws: BundleFault("it unpacks to more than 64 MiB")) { try BundleArchive.files(bomb) }
        let large = [UInt8](repeating: 0, count: BundleArchive.largest + 1)
        #expect(throws: BundleFault("it is larger than 16 MiB")) { try BundleArchive.files(large) }
    }

    @Test("gzip files: cut, damaged, doubled, followed by something")
    func gzip() throws {
        let bytes = Array("content of no great length, content of no great length".utf8)
        let packed = try Gzip.compress(bytes)
        #expect(try Gzip.expand(packed, limit: 1000) == bytes)
        #expect(try Gzip.expand(packed, limit: bytes.count) == bytes)
        #expect(throws: BundleFault.self) { try Gzip.expand(packed, limit: bytes.count - 1) }
        for count in 0..<packed.count {
            #expect(throws: BundleFault.self, "\(count)") { try Gzip.expand(Array(packed.prefix(count)), limit: 1000) }
        }
        #expect(throws: BundleFault.self) { try Gzip.expand(packed + [0], limit: 1000) }
        #expect(throws: BundleFault.self) { try Gzip.expand(packed + packed, limit: 1000) }
        for index in 18..<packed.count {
            var other = packed
            other[index] ^= 1
            #expect((try? Gzip.expand(other, limit: 1000)) ?? bytes == bytes, "byte \(index)")
        }
    }
}
