public import AiboxState
public import AiboxSystem

/// Which sandbox a command means: `--name`, else the workspace of the current folder, else the only one.
public enum SandboxSelection {
    public static func choose(
        _ name: String?, currentFolder: String, among records: [SandboxRecord]
    ) throws(AiboxError) -> SandboxRecord {
        if let name {
            let wanted = try SandboxName(name).text
            if let record = records.first(where: { $0.name == wanted }) { return record }
            throw AiboxError(
                .failed, "no sandbox \(wanted) is running", why: Self.listed(records),
                remedy: "aibox start -w DIR --name \(wanted)")
        }
        // The innermost workspace wins where one lies in another.
        let around = records.filter { Path.isInside(currentFolder, $0.workspace) }
        if let record = around.max(by: { $0.workspace.utf8.count < $1.workspace.utf8.count }) { return record }
        if records.count == 1, let only = records.first { return only }
        if records.isEmpty {
            throw AiboxError(.failed, "no sandbox is running", remedy: "aibox start -w DIR")
        }
        throw AiboxError(
            .usage, "more than one sandbox is running, and none has this folder as its workspace",
            why: Self.listed(records), remedy: "say which with --name, or change into its workspace")
    }

    private static func listed(_ records: [SandboxRecord]) -> String {
        records.isEmpty
            ? "none is" : "running: " + records.map { "\($0.name) (\($0.workspace))" }.joined(separator: ", ")
    }
}
