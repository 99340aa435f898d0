import AiboxConfig
public import AiboxSystem

/// `aibox setup --system`: what an administrator installs once for everybody on the machine.
public struct SystemSetup: Sendable {
    let context: SandboxContext

    public init(_ context: SandboxContext) { self.context = context }

    static let appArmorFile = "/etc/apparmor.d/aibox-sandbox"

    public func run(report: (String) -> Void) throws(AiboxError) {
        guard context.host.isRoot else {
            throw AiboxError(
                .usage, "setup --system writes to /etc", why: "this is not root", remedy: "sudo aibox setup --system")
        }
        try orgPolicy(report)
        try appArmor(report)
        for finding in Doctor(context).examine(fixing: true) where finding.fixed {
            report("\(finding.name): mended")
        }
    }

    /// The organisation's own file is never overwritten.
    private func orgPolicy(_ report: (String) -> Void) throws(AiboxError) {
        let path = context.paths.orgPolicy
        if File.exists(path) { return report("policy: \(path) is kept") }
        try Folder.make(context.paths.systemFolder)
        try File.replace(path, with: context.profiles.orgBaseline, mode: 0o644)
        report("policy: \(path) is written; edit it to set this organisation's limits")
    }

    private func appArmor(_ report: (String) -> Void) throws(AiboxError) {
        if case .absent(let why) = AppArmorProfile.state { return report("AppArmor: \(why)") }
        try File.replace(Self.appArmorFile, with: context.profiles.appArmor, mode: 0o644)
        try AppArmorProfile.check(Self.appArmorFile, runner: context.runner)
        try context.runner.require(
            AppArmorProfile.loading(Self.appArmorFile), "cannot load the AppArmor profile",
            remedy: "sudo apt-get install apparmor")
        guard case .enforced = AppArmorProfile.state else {
            throw AiboxError(
                .layerMissing, "the AppArmor profile is loaded but not enforced",
                remedy: "aa-enforce \(Self.appArmorFile)")
        }
        report("AppArmor: \(AppArmorProfile.name) is enforced")
    }
}
