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
}
