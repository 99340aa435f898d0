public import AiboxSystem
import AiboxWire

/// Finds the programs that run containers and says whether they are good enough.
public struct RuntimeProbe: Sendable {
    let runner: any CommandRunner
    /// Where answers of the programs are kept that still hold; nil asks every time.
    private let remembered: Remembered?

    public init(runner: any CommandRunner = SystemCommandRunner()) { self.init(runner: runner, remembered: nil) }

    init(runner: any CommandRunner, remembered: Remembered?) {
        self.runner = runner
        self.remembered = remembered
    }

    /// Where `make deps` puts a runsc that is newer than the distribution's.
    static let ownFolders = ["/usr/local/libexec/aibox", "/usr/libexec/aibox"]

    /// The first release that runs what we ask of it: keep-id user namespaces and systrap.
    public static let oldestRunsc = 20_240_401

    public struct Runsc: Sendable, Equatable {
        public var path: String
        /// The release as a date: 20240729.
        public var release: Int
    }

    /// A runsc that is new enough.
    ///
    /// - Throws: `layerMissing` if there is none (P5).
    public func runsc() throws(AiboxError) -> Runsc {
        var tooOld: Runsc?
        for path in Self.ownFolders.map({ $0 + "/runsc" }) + [ExecutableSearch.find("runsc")].compactMap({ $0 }) {
            guard let path = ExecutableSearch.find(path) else { continue }
            guard let release = try release(of: path) else { continue }
            if release >= Self.oldestRunsc { return Runsc(path: path, release: release) }
            tooOld = Runsc(path: path, release: release)
        }
        throw AiboxError(
            .layerMissing, "gVisor is missing",
            why: tooOld.map {
                "\($0.path) is release \($0.release), and \(Self.oldestRunsc) is the oldest that will do"
            }
                ?? "there is no runsc on this machine",
            remedy: "make deps   (or https://gvisor.dev/docs/user_guide/install/)")
    }

    func release(of path: String) throws(AiboxError) -> Int? {
        let question = path + " --version"
        if let kept = remembered?.answer(question)?.wholeNumber { return Int(kept) }
        let asked = Timestamp.now
        let result = try runner.run(Command(path, ["--version"]), timeout: .seconds(10))
        guard result.succeeded, let release = Self.release(result.text) else { return nil }
        remembered?.keep(.integer(Int64(release)), to: question, asked: asked, files: [path])
        return release
    }

    /// The date in `runsc version release-20240729.0` (upstream) or `runsc version 0.0~20240729.0` (Debian).
    static func release(_ text: String) -> Int? {
        guard let line = text.split(separator: "\n").first(where: { $0.hasPrefix("runsc version") }) else { return nil }
        var digits = ""
        for character in line {
            if let value = character.wholeNumberValue, character.isASCII {
                digits += String(value)
                if digits.count == 8 { return Int(digits).flatMap { $0 > 20_180_000 ? $0 : nil } }
            } else {
                digits = ""
            }
        }
        return nil
    }

    /// crun, for an organisation that permits it.
    public func crun() throws(AiboxError) -> String { try require("crun", remedy: "sudo apt-get install crun") }

    /// Kata Containers, for an organisation that permits it.
    public func kata() throws(AiboxError) -> String {
        try require("kata-runtime", remedy: "install Kata Containers: https://katacontainers.io/docs/")
    }

    private func require(_ name: String, remedy: String) throws(AiboxError) -> String {
        if let path = ExecutableSearch.find(name) { return path }
        throw AiboxError(.layerMissing, "\(name) is missing", why: "it is not on this machine", remedy: remedy)
    }
}
