import ArgumentParser

struct ApprovalsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "approvals", abstract: "Answer what sandboxes may only do when a person agrees.",
        subcommands: [
            ApprovalsList.self, ApprovalsShow.self, ApprovalsApprove.self, ApprovalsDeny.self, ApprovalsNotify.self,
        ])
}
