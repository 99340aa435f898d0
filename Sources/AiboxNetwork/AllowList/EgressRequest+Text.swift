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

    /// How a request in an opened tunnel can go out, for how it is written, whatever the list says.
    ///
    /// Squid forwards what it got, and what is decided on has to be exactly that. It takes another URL in its place, but only
    /// `.` segments are worth that: apt asks for them (`deb https://HOST/DIR ./`).
    ///
    /// - Parameter url: what this request was read from: `https://HOST[:PORT]/PATH`.
    /// - Parameter hasBody: it has one, which stays with Squid: such a request goes out as it is written, or not at all.
    public func form(inside url: String, hasBody: Bool) -> OpenedForm {
        let rest = url.dropFirst(8).drop { $0 != "/" && $0 != "?" }
        let part = rest.prefix { $0 != "?" }
        let written = Array(part.utf8)
        guard case .http(_, let method, let path) = content else { return .refused(.otherPath) }
        let isNormal = path.isWritten(as: written)
        if !isNormal, hasBody || !path.isWritten(as: RequestPath.withoutDotSegments(written)) {
            return .refused(.otherPath)
        }
        if method != method.uppercased() { return .refused(.otherMethod) }
        return isNormal ? .asWritten : .rewritten(url[..<rest.startIndex] + path.path + url[part.endIndex...])
    }
}
