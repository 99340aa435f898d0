import AiboxSystem
import Testing

@testable import AiboxContainer

@Suite("The distribution's archive")
struct DistributionArchiveTests {
    private static let debian = """
        Debian\tbookworm\tbookworm\tmain\tamd64\thttp://mirror.test/debian/\t/etc/apt/sources.list.d/debian.sources:1
        Debian\tbookworm-updates\tbookworm-updates\tmain\tamd64\thttp://mirror.test/debian/\t/etc/apt/sources.list.d/debian.sources:1
        Debian\tbookworm-security\tbookworm-security\tmain\tamd64\thttp://mirror.test/security/\t/etc/apt/sources.list.d/debian.sources:2
        Debian Backports\tbookworm-backports\tbookworm-backports\tmain\tamd64\thttp://mirror.test/debian/\t/etc/apt/sources.list:9
        Debian\tbookworm\tbookworm\tmain\ti386\thttp://mirror.test/debian/\t/etc/apt/sources.list.d/debian.sources:1
        . nodistro\tnodistro\tnodistro\tmain\tamd64\thttps://vendor.test/\t/etc/apt/sources.list.d/vendor.list:1
        """
    private static let ubuntu = """
        Ubuntu\tnoble\tnoble\tmain\tarm64\thttp://ports.test/\t/etc/apt/sources.list:1
        Ubuntu\tnoble\tnoble\tuniverse\tarm64\thttp://ports.test/\t/etc/apt/sources.list:1
        Ubuntu\tnoble\tnoble-updates\tmain\tarm64\thttp://ports.test/\t/etc/apt/sources.list:2
        Ubuntu\tnoble\tnoble-proposed\tmain\tarm64\thttp://ports.test/\t/etc/apt/sources.list:4
        Ubuntu\tnoble\tnoble-security\tuniverse\tarm64\thttp://ports.test/\t/etc/apt/sources.list:3
        """

    private func archive(_ text: String, _ architecture: String, _ release: String?) throws -> DistributionArchive {
        try DistributionArchive(
            targets: DistributionArchive.targets(text), architecture: architecture, release: release,
            signedBy: { $0.hasSuffix(":1") ? "/keys/one.gpg" : nil })
    }

    @Test("Debian: the release, its updates and its security updates, from the mirrors the machine uses")
    func debian() throws {
        let archive = try archive(Self.debian, "amd64", "bookworm")
        #expect(archive.identity == "bookworm-amd64")
        #expect(
            archive.sources.map(\.line) == [
                "deb [signed-by=\"/keys/one.gpg\"] http://mirror.test/debian/ bookworm main",
                "deb http://mirror.test/security/ bookworm-security main",
                "deb [signed-by=\"/keys/one.gpg\"] http://mirror.test/debian/ bookworm-updates main",
            ])
    }

    @Test("Ubuntu: all components, nothing proposed")
    func ubuntu() throws {
        let archive = try archive(Self.ubuntu, "arm64", nil)
        #expect(archive.identity == "noble-arm64")
        #expect(archive.sources.map(\.suite) == ["noble", "noble-security", "noble-updates"])
        #expect(archive.sources[0].components == ["main", "universe"])
    }

    @Test("a machine that follows two releases builds its own")
    func twoReleases() throws {
        let text = Self.debian + "\n" + Self.debian.replacing("bookworm", with: "trixie")
        #expect(try archive(text, "amd64", "trixie").codename == "trixie")
        #expect(try archive(text, "amd64", "bookworm").codename == "bookworm")
    }

    @Test(
        "a machine without such an archive gets the command that helps",
        arguments: [
            ("", "amd64"), ("Debian\tbookworm\tbookworm\tmain\tamd64\tu\te:1", "riscv64"),
            ("Fedora\tx\tx\tx\tamd64\tu\te:1", "amd64"),
        ])
    func none(_ text: String, _ architecture: String) {
        let error = #expect(throws: AiboxError.self) { try archive(text, architecture, "bookworm") }
        #expect(error?.remedy?.contains("apt-get update") == true)
    }

    @Test(
        "the keyring of a source entry",
        arguments: [
            (
                "/a.sources:1",
                "Types: deb\nURIs: x\nSigned-By: /k1.gpg\n\n# note\nTypes: deb\nSigned-By: /k2.gpg /k3.gpg\n", "/k1.gpg"
            ),
            (
                "/a.sources:2", "Types: deb\nSigned-By: /k1.gpg\n\n# note\nTypes: deb\nsigned-by:  /k2.gpg /k3.gpg\n",
                "/k2.gpg"
            ),
            ("/a.sources:1", "Types: deb\nSigned-By:\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n abc\n", nil),
            ("/a.sources:3", "Types: deb\nSigned-By: /k1.gpg\n", nil),
            ("/a.list:2", "# x\ndeb [arch=amd64 signed-by=/k.gpg] http://x y main\n", "/k.gpg"),
            ("/a.list:1", "deb http://x y main # [signed-by=/no]\n", "/no"),
            ("/a.list:9", "deb http://x y main\n", nil), ("nonsense", "", nil),
        ])
    func keyring(_ entry: String, _ text: String, _ keyring: String?) {
        #expect(AptSourceFile.signedBy(entry) { $0.hasPrefix("/a.") ? text : nil } == keyring)
    }

    @Test(
        "a source line is read, or refused",
        arguments: [
            ("deb [signed-by=/k.gpg] https://x/y s main extra", "deb [signed-by=\"/k.gpg\"] https://x/y s main extra"),
            ("deb  http://x   s  main", "deb http://x s main"),
            ("deb [ arch=amd64 signed-by=/k ] u s c", "deb [signed-by=\"/k\"] u s c"),
            ("deb [trusted=yes] u s c", nil), ("deb-src u s c", nil), ("deb u s", nil),
            ("deb [signed-by=/k u s c", nil), ("", nil),
        ])
    func sourceLine(_ text: String, _ line: String?) { #expect(AptSource(line: text)?.line == line) }

    @Test("the codename of os-release, in any quotes")
    func osRelease() {
        for text in ["VERSION_CODENAME=noble\n", "A=1\nVERSION_CODENAME=\"noble\"\n", "VERSION_CODENAME='noble'"] {
            #expect(AptSourceFile.field("VERSION_CODENAME", inOSRelease: text) == "noble")
        }
        #expect(AptSourceFile.field("VERSION_CODENAME", inOSRelease: "VERSION_CODENAME=\n") == nil)
    }
}
