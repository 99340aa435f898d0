import AiboxNetwork
import AiboxSystem
import AiboxWire

/// A credential for a place, checked and ready to be used.
struct PlaceAccess: Sendable, Equatable {
    let grant: PlaceGrant
    let host: HostName
    let base: UpstreamBase

    init(_ grant: PlaceGrant) throws(AiboxError) {
        let what = "cannot use the credential \(grant.name)"
        guard let host = try? HostName(grant.host), host.text == grant.host,
            let base = UpstreamBase("https://\(grant.authority)")
        else { throw AiboxError(.failed, what, why: "\(SafeText.escaped(grant.host)) is no host name") }
        if grant.secret.utf8.count < 8 {
            throw AiboxError(.failed, what, why: "it is shorter than 8 characters, and could not be told from text")
        }
        self.grant = grant
        self.host = host
        self.base = base
    }

    /// - Parameter path: in its normal form.
    func covers(_ host: HostName, _ port: UInt16, _ path: String) -> Bool {
        host == self.host && port == grant.port
            && (grant.path == "/" || path == grant.path || path.hasPrefix(grant.path + "/"))
    }
}
