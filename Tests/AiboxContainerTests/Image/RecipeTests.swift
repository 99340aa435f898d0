import AiboxEmbedded
import AiboxSystem
import AiboxTestSupport
import Testing

@testable import AiboxContainer

@Suite("Image recipes")
struct RecipeTests {
    static var own: RecipeLibrary {
        var files: [String: [UInt8]] = [:]
        for path in EmbeddedFile.paths where path.hasPrefix("aibox-images/") {
            files[String(path.dropFirst("aibox-images/".count))] = EmbeddedFile.bytes(path)
        }
        return RecipeLibrary(embedded: files)
    }

    private func library(_ files: [String: String]) -> RecipeLibrary {
        RecipeLibrary(embedded: files.mapValues { Array($0.utf8) })
    }

    @Test("aibox's own recipes are complete, and each stands on base")
    func ownRecipes() throws {
        let library = Self.own
        #expect(library.names == ["base", "dotnet", "full", "java", "node"])
        let base = try library.recipe("base")
        for name in [
            "git", "openssh-server", "bash", "zsh", "tmux", "curl", "python3", "build-essential", "jq", "socat",
        ] {
            #expect(base.packages.contains(name), "\(name)")
        }
        #expect(base.reference == ImageStore.defaultReference)
        #expect(base.folders.contains("/workspace"))
        for name in library.names where name != "base" {
            let recipe = try library.recipe(name)
            #expect(recipe.ancestors.first == "base")
            #expect(Set(base.packages).isSubset(of: recipe.packages))
            #expect(recipe.overlay["etc/aibox/sshd_config"] == base.overlay["etc/aibox/sshd_config"])
        }
        #expect(try library.recipe("full").packages.contains("maven"))
        #expect(try library.recipe("full").packages.contains("npm"))
        #expect(try library.recipe("dotnet").sources.allSatisfy { $0.signedBy != nil })
        #expect(try library.locks("base")["bookworm-amd64"]?.versions["git"] != nil)
    }

    @Test("the folder and the embedded copy give the same recipes")
    func fromFolder() throws {
        let repository = Path.parent(Path.parent(Path.parent(Path.parent(#filePath))))
        let folder = try RecipeLibrary(folder: repository + "/aibox-images")
        for name in Self.own.names { #expect(try folder.recipe(name) == Self.own.recipe(name)) }
    }

    @Test(
        "a mistake is an error with its place",
        arguments: [
            ("an unknown key", "version: 1\ndescription: d\npackage: [a]\n", "2:1: unknown key package"),
            ("no version", "description: d\n", "version is missing"),
            ("a package name that is an option", "version: 1\ndescription: d\npackages: [--foo]\n", "--foo"),
            ("a package name with a comma", "version: 1\ndescription: d\npackages: ['ab,cd']\n", "ab,cd"),
            ("a folder that leads up", "version: 1\ndescription: d\nfolders: [/a/../b]\n", "/a/../b"),
            ("a folder that is relative", "version: 1\ndescription: d\nfolders: [a]\n", "absolute"),
            ("a link without a target", "version: 1\ndescription: d\nlinks: [/a]\n", "PATH -> TARGET"),
            ("a link that leads up", "version: 1\ndescription: d\nlinks: ['/a -> /b/../c']\n", "PATH -> TARGET"),
            ("a pattern that is absolute", "version: 1\ndescription: d\nomit: [/etc/x]\n", "relative"),
            ("a source without a key", "version: 1\ndescription: d\nsources: [deb http://x y main]\n", "signed-by"),
            (
                "a source that trusts blindly",
                "version: 1\ndescription: d\nsources: ['deb [trusted=yes] http://x y main']\n", "signed-by"
            ),
            ("a variable with a blank", "version: 1\ndescription: d\nenvironment: ['A=b c']\n", "NAME=VALUE"),
            ("a variable without a name", "version: 1\ndescription: d\nenvironment: ['=b']\n", "NAME=VALUE"),
            ("a parent that is not there", "version: 1\ndescription: d\nextends: [bse]\n", "did you mean base"),
            ("itself as parent", "version: 1\ndescription: d\nextends: [test]\n", "extends itself"),
        ])
    func mistakes(_ name: String, _ text: String, _ said: String) {
        let library = library(["test/image.yaml": text, "base/image.yaml": "version: 1\ndescription: b\n"])
        let error = #expect(throws: AiboxError.self) { try library.recipe("test") }
        let description = error?.description ?? ""
        #expect(description.contains(said.replacing("2:1: ", with: "")), "\(description)")
    }

    @Test("recipes that extend each other in a circle are refused")
    func circle() {
        let library = library([
            "a/image.yaml": "version: 1\ndescription: d\nextends: [b]\n",
            "b/image.yaml": "version: 1\ndescription: d\nextends: [a]\n",
        ])
        let error = #expect(throws: AiboxError.self) { try library.recipe("a") }
        #expect(error?.why?.contains("a -> b -> a") == true)
    }

    @Test("a recipe folder with a link in it is refused")
    func link() throws {
        let folder = try TemporaryFolder()
        try folder.write("a/image.yaml", "version: 1\ndescription: d\n")
        try SystemCommandRunner().require(Command("ln", ["-s", "/etc/shadow", folder.path + "/a/rootfs"]), "ln")
        #expect(throws: AiboxError.self) { try RecipeLibrary(folder: folder.path) }
    }

    @Test("every part of a recipe is in its digest, and nothing else is")
    func digest() throws {
        let base = ImageRecipe(
            name: "a", version: 1, description: "d", packages: ["x"], omitted: ["o"], folders: ["/f"],
            sources: [AptSource(uri: "u", suite: "s", components: ["c"], signedBy: "/k")], environment: ["A": "b"],
            overlay: ["p": [1], "q": []])
        let changes: [(inout ImageRecipe) -> Void] = [
            { $0.name = "b" }, { $0.version = 2 }, { $0.description = "e" }, { $0.packages = ["x", "y"] },
            { $0.omitted = [] }, { $0.folders = ["/g"] }, { $0.links = ["/l": "/m"] }, { $0.sources[0].signedBy = nil },
            { $0.environment["A"] = "c" },
            { $0.environment["B"] = "" }, { $0.overlay["p"] = [2] }, { $0.overlay["r"] = [] },
            { $0.overlay["q"] = nil }, { $0.packages = [] },
        ]
        var texts = [base.canonicalText]
        for change in changes {
            var recipe = base
            change(&recipe)
            texts.append(recipe.canonicalText)
        }
        #expect(Set(texts).count == texts.count)
        var other = base
        other.ancestors = ["somewhere"]
        #expect(other.canonicalText == base.canonicalText)
    }

    @Test("sshd accepts the configuration of the base image as an ordinary user, with what IDEs need and no more")
    func sshd() throws {
        let recipe = try Self.own.recipe("base")
        let folder = try TemporaryFolder()
        let runner = SystemCommandRunner()
        try runner.require(
            Command("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", folder.path + "/key"]), "ssh-keygen")
        var text = String(decoding: try #require(recipe.overlay["etc/aibox/sshd_config"]), as: UTF8.self)
        text = text.replacing("/run/aibox/ssh_host_ed25519_key", with: folder.path + "/key")
        text = text.replacing("/etc/aibox/environment.conf", with: folder.path + "/environment.conf")
        try folder.write("environment.conf", String(decoding: recipe.sessionEnvironment.content, as: UTF8.self))
        let file = try folder.write("sshd_config", text)
        // Never as root: root's sshd wants a folder of the system's that a machine without the service lacks.
        var command = ["/usr/sbin/sshd", "-T", "-f", file]
        if UserIdentity.current.isRoot {
            try runner.require(Command("chown", ["-R", "nobody", folder.path]), "chown")
            command = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"] + command
        }
        let result = try runner.require(
            Command(command[0], Array(command.dropFirst())), "sshd does not take the configuration")
        let settings = Set(result.text.split(separator: "\n").map(String.init))
        for setting in [
            "port 2222", "permitrootlogin no", "passwordauthentication no", "kbdinteractiveauthentication no",
            "pubkeyauthentication yes", "allowusers dev", "allowtcpforwarding local",
            "allowstreamlocalforwarding local",
            "gatewayports no", "permitlisten none", "allowagentforwarding no", "x11forwarding no", "permittunnel no",
            "permituserenvironment no", "authenticationmethods publickey", "subsystem sftp internal-sftp", "usepam no",
        ] {
            #expect(settings.contains(setting), "\(setting)")
        }
        #expect(result.text.contains("setenv LANG=C.UTF-8"))
    }
}
