import AiboxConfig
import AiboxState
public import AiboxSystem
public import AiboxWire

/// Running sandboxes that were lent a credential.
public struct LentCredential: Sendable {
    /// Those that follow the change.
    public private(set) var sandboxes: [String] = []
    /// The first of those whose gateway could not be told.
    private var failure: (sandbox: String, error: AiboxError)?

    /// Tells every gateway of this user.
    ///
    /// - Parameters:
    ///   - database: where the sandboxes are written down; one that is not there has none.
    ///   - sandbox: tells only this one.
    ///   - session: and only in this stay: another of the same name has its own.
    public init(
        _ change: CredentialChange, database: String, sandbox: String? = nil, session: String? = nil
    ) throws(AiboxError) {
        if !File.exists(database) { return }
        for record in try SandboxStore(path: database).all()
        where sandbox ?? record.name == record.name && session ?? record.session == record.session
            && GatewayRemains.state(of: record.runFolder) == .running
        {
            do throws(AiboxError) {
                if try GatewayClient(runFolder: record.runFolder).change(change) { sandboxes.append(record.name) }
            } catch  where GatewayRemains.state(of: record.runFolder) == .running {
                failure = failure ?? (record.name, error)
            } catch {
                // It ended meanwhile, and its credentials with it.
            }
        }
    }

    /// Fails if a sandbox may still use what was changed.
    public func requireAll() throws(AiboxError) {
        guard let failure else { return }
        throw AiboxError(
            failure.error.code, "the sandbox \(failure.sandbox) still has the credential as it was",
            why: failure.error.reason, remedy: "aibox stop --name \(failure.sandbox)")
    }
}
