public import AiboxSystem

/// A notice on the desktop, where the machine has one: `notify-send` and a session bus.
public struct DesktopNotice: Sendable {
    private let program: String

    /// - Returns: nil without desktop.
    public init?(_ environment: [String: String] = Environment.all) {
        guard environment["DBUS_SESSION_BUS_ADDRESS"]?.isEmpty == false,
            let program = ExecutableSearch.find("notify-send")
        else { return nil }
        self.program = program
    }

    public func show(_ message: ApprovalMessage) throws(AiboxError) {
        let (summary, body) = message.desktop
        try show(summary, body)
    }

    public func show(waiting count: Int) throws(AiboxError) {
        try show("aibox: \(count) calls wait for your answer", "aibox approvals list")
    }

    private func show(_ summary: String, _ body: String) throws(AiboxError) {
        try SystemCommandRunner().require(
            Command(program, ["--app-name=aibox", "--", summary, body], directory: "/"), "the desktop shows no notice",
            timeout: .seconds(5))
    }
}
