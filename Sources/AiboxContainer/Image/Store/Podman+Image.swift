import AiboxSystem

extension Podman {
    /// Runs a call and takes a failing exit status for an error named `what`.
    @discardableResult
    func require(
        _ command: Command, _ what: @autoclosure () -> String, timeout: Duration = .seconds(60)
    ) throws(AiboxError) -> CommandResult {
        let result = try runner.run(command, timeout: timeout)
        if result.succeeded { return result }
        throw Self.failure(what(), result)
    }

    /// Rootless, podman makes a copy of every image with the owners as sandboxes see them, at the first container.
    /// Here, so that no start has to wait for it (some ten seconds).
    func prepareLayers(_ image: String) throws(AiboxError) {
        if UserIdentity.current.isRoot { return }
        let made = try require(
            command(["create", "--pull", "never"] + PodmanRun.keepID + [image, "true"]), "cannot prepare the image",
            timeout: .seconds(600))
        try remove(String(made.text.split(separator: "\n").last ?? ""))
    }
}
