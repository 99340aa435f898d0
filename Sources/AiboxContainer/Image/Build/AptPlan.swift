import AiboxSystem

/// What the archive offers right now, asked with a private apt that leaves the machine's own state alone.
struct AptPlan: Sendable, Equatable {
    /// The version that would be installed, by package name.
    var candidates: [String: String]
    /// The newest `Date` of the Release files: the state of the archive as a moment, in seconds since 1970.
    var date: Int

    /// Packages that the archive does not have.
    func missing(_ packages: [String]) -> [String] { packages.filter { candidates[$0] == nil } }
}

extension AptPlan {
    /// Fetches the package lists into `folder` and asks for the versions of `packages`.
    static func fetch(
        sources: [AptSource], packages: [String], folder: String, _ runner: any CommandRunner
    ) throws(AiboxError) -> AptPlan {
        for name in ["lists/partial", "cache/archives/partial"] { try Folder.make("\(folder)/\(name)") }
        try File.replace(folder + "/sources.list", with: sources.map { $0.line + "\n" }.joined(), mode: 0o644)
        try File.replace(folder + "/apt.conf", with: configuration(folder), mode: 0o644)
        let environment: [String: String?] = ["APT_CONFIG": folder + "/apt.conf", "LC_ALL": "C.UTF-8"]
        let update = try runner.run(
            Command("apt-get", ["update", "-q"], environment: environment), timeout: .seconds(600))
        if !update.succeeded {
            let why = BuildFailure.explain(update.errorText + "\n" + update.text)
            throw AiboxError(
                .failed, "cannot read the package archive", why: why?.why ?? BuildFailure.lastLines(update.errorText),
                remedy: why?.remedy ?? "sudo apt-get update   (shows whether the machine's own sources work)")
        }
        let policy = try runner.require(
            Command("apt-cache", ["-q", "policy"] + packages, environment: environment),
            "cannot ask apt for package versions", timeout: .seconds(120))
        var date = 0
        for name in try Folder.names(folder + "/lists") where name.hasSuffix("Release") {
            date = max(date, releaseDate(try File.text("\(folder)/lists/\(name)")) ?? 0)
        }
        guard date > 0 else {
            throw AiboxError(.failed, "cannot read the package archive", why: "no Release file carries a date")
        }
        return AptPlan(candidates: candidates(policy.text), date: date)
    }

    /// Everything that apt would otherwise share with the machine, kept in `folder`.
    private static func configuration(_ folder: String) -> String {
        let settings = [
            ("Dir::Etc::sourcelist", folder + "/sources.list"), ("Dir::Etc::sourceparts", "/dev/null"),
            ("Dir::Etc::preferences", "/dev/null"), ("Dir::Etc::preferencesparts", "/dev/null"),
            ("Dir::State", folder), ("Dir::State::lists", folder + "/lists"), ("Dir::State::status", "/dev/null"),
            ("Dir::Cache", folder + "/cache"), ("APT::Update::Error-Mode", "any"), ("APT::Sandbox::User", ""),
            ("Acquire::Languages", "none"), ("Acquire::AllowInsecureRepositories", "false"),
        ]
        return settings.map { "\($0.0) \"\($0.1)\";\n" }.joined()
            // Hooks of the machine's own apt (package managers' caches, notices) have no business here.
            + "#clear APT::Update::Post-Invoke;\n#clear APT::Update::Post-Invoke-Success;\n"
    }

    /// The `Candidate` lines of `apt-cache policy`, by package.
    static func candidates(_ text: String) -> [String: String] {
        var result: [String: String] = [:]
        var package = ""
        for line in text.split(separator: "\n") {
            if !line.hasPrefix(" ") {
                package = line.hasSuffix(":") ? String(line.dropLast()) : ""
            } else if let mark = line.firstRange(of: "Candidate: ") {
                let version = String(line[mark.upperBound...])
                if !package.isEmpty, version != "(none)" { result[package] = version }
            }
        }
        return result
    }

    /// `Date: Sat, 15 Nov 2025 09:44:21 UTC` of a Release file.
    static func releaseDate(_ text: String) -> Int? {
        text.split(separator: "\n").prefix(60).first { $0.hasPrefix("Date: ") }
            .flatMap { Timestamp(release: $0.dropFirst("Date: ".count)) }
            .map { Int($0.seconds) }
    }
}
