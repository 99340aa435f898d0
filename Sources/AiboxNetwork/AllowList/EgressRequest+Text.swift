public import AiboxSystem

extension EgressRequest {
    /// The request that `HOST[:PORT]` (a tunnel) or a URL stands for.
    ///
    /// - Throws: `usage` if it is neither.
    public init(_ text: String, method: String = "GET") throws(AiboxError) {
        let scheme = [AllowRule.Scheme.https, .http].first { text.hasPrefix($0.rawValue + "://") }
        let rest = scheme.map { text.dropFirst($0.rawValue.count + 3) } ?? text[...]
        let authority = rest.prefix { $0 != "/" }
        let parts = authority.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        func unclear(_ why: String) -> AiboxError {
            AiboxError(.usage, "cannot ask about \(SafeText.escaped(text))", why: why)
        }
        guard let written = parts.first, let port = parts.count > 1 ? UInt16(parts[1]) : scheme == .http ? 80 : 443
        else { throw unclear("it is no HOST[:PORT] and no URL") }
        let host: HostName
        do { host = try HostName(String(written)) } catch { throw unclear(error.reason) }
        guard let scheme else {
            self.init(host: host, port: port, content: .tunnel)
            return
        }
        do {
            let path = try RequestPath(String(rest.dropFirst(authority.count)))
            self.init(host: host, port: port, content: .http(scheme, method: method, path: path))
        } catch { throw unclear(error.reason) }
    }

    /// Why a request in an opened tunnel is refused for how it is written, whatever the list says; nil if it is not.
    ///
    /// Squid forwards what it got. What is decided on has to be exactly that.
    ///
    /// - Parameter url: what this request was read from: `https://HOST[:PORT]/PATH`.
    public func refusalInside(written url: String) -> EgressDenial? {
        guard case .http(_, let method, let path) = content,
            path.isWritten(as: url.dropFirst(8).drop { $0 != "/" && $0 != "?" }.prefix { $0 != "?" })
        else { return .otherPath }
        return method == method.uppercased() ? nil : .otherMethod
    }
}
