public import AiboxSystem
import COpenSSL
import Glibc

/// A connection to a server that proved its name: TLS 1.2 or newer, with a limit on every step, however slowly its bytes drip.
public final class TLSConnection {
    private let socket: Descriptor
    private let context: OpaquePointer
    private let tls: OpaquePointer
    private let name: String
    private let timeout: Duration
    private let deadline: ContinuousClock.Instant?

    /// Connects.
    ///
    /// - Parameters:
    ///   - host: a name or an address; it must be in the server's certificate.
    ///   - authorities: a file with the certificates to trust (PEM); nil takes the system's.
    ///   - identity: shown to a server that asks who this is.
    ///   - timeout: for connecting, and for each read and write.
    ///   - deadline: for all of it.
    public init(
        host: String, port: UInt16, authorities: String? = nil, identity: TLSClientIdentity? = nil,
        timeout: Duration = .seconds(10), deadline: ContinuousClock.Instant? = nil
    ) throws(AiboxError) {
        name = "\(host):\(port)"
        self.timeout = timeout
        self.deadline = deadline
        let what = "cannot connect to \(name)"
        socket = try Self.connected(host, port, timeout, what, deadline: deadline)
        let flags = fcntl(socket.number, F_GETFL)
        if fcntl(socket.number, F_SETFL, flags | O_NONBLOCK) != 0 { throw .system(what, errno: errno) }
        let context = try OpenSSL.require(SSL_CTX_new(TLS_client_method()), what)
        guard aibox_tls_at_least_1_2(context) == 1 else {
            SSL_CTX_free(context)
            throw OpenSSL.failure(what)
        }
        SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nil)
        let trusted =
            if let authorities { SSL_CTX_load_verify_file(context, authorities) } else {
                SSL_CTX_set_default_verify_paths(context)
            }
        do throws(AiboxError) { try identity?.use(in: context) } catch {
            SSL_CTX_free(context)
            throw error
        }
        guard trusted == 1, let tls = SSL_new(context) else {
            SSL_CTX_free(context)
            throw OpenSSL.failure("cannot use the certificates in \(authorities ?? "the system's store")")
        }
        self.context = context
        self.tls = tls
        // An address is compared with the certificate's addresses, a name with its names.
        let isAddress = X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(tls), host) == 1
        ERR_clear_error()
        if !isAddress {
            _ = aibox_tls_name(tls, host)
            try OpenSSL.require(SSL_set1_host(tls, host), what)
        }
        try OpenSSL.require(SSL_set_fd(tls, socket.number), what)
        let shaken = try step(what) { SSL_connect(tls) }
        if shaken != 1 {
            let result = SSL_get_verify_result(tls)
            if result != 0 {
                throw AiboxError(
                    .failed, what, why: "its certificate: " + String(cString: X509_verify_cert_error_string(result)))
            }
            throw failure(what, shaken)
        }
    }

    /// - Throws: if the file holds no certificates to trust. Connects to nobody.
    public static func check(authorities: String) throws(AiboxError) {
        let what = "cannot use the certificates in \(authorities)"
        let context = try OpenSSL.require(SSL_CTX_new(TLS_client_method()), what)
        defer { SSL_CTX_free(context) }
        try OpenSSL.require(SSL_CTX_load_verify_file(context, authorities), what)
    }

    deinit {
        SSL_free(tls)
        SSL_CTX_free(context)
    }

    /// Writes every byte.
    public func write(_ bytes: [UInt8]) throws(AiboxError) {
        var sent = 0
        while sent < bytes.count {
            let what = "cannot send to \(name)"
            // Some try again: with the same bytes at the same place, as SSL_write(3) wants it.
            let count = try bytes.withUnsafeBufferPointer { (part) throws(AiboxError) in
                try step(what) {
                    SSL_write(
                        tls, part.baseAddress.map { UnsafeRawPointer($0 + sent) },
                        Int32(min(part.count - sent, 1 << 20)))
                }
            }
            if count <= 0 { throw failure(what, count) }
            sent += Int(count)
        }
    }

    /// The bytes that come next; none once the other side has said that it sends no more.
    public func read() throws(AiboxError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: 16_384)
        let count = try step("cannot hear from \(name)") { SSL_read(tls, &bytes, Int32(bytes.count)) }
        if count > 0 { return Array(bytes.prefix(Int(count))) }
        if SSL_get_error(tls, count) == SSL_ERROR_ZERO_RETURN { return [] }
        throw failure("cannot hear from \(name)", count)
    }

    /// Says that nothing more comes, and waits until the other side has said the same: it has read everything then.
    ///
    /// - Throws: if it hung up, or was silent, instead.
    public func finish() throws(AiboxError) {
        let what = "cannot end the connection to \(name)"
        let first = try step(what) { SSL_shutdown(tls) }
        if first == 1 { return }
        if first < 0 { throw failure(what, first) }
        Glibc.shutdown(socket.number, Int32(SHUT_WR))
        // What is left to come is none of our business; its end is.
        var bytes = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = try step(what) { SSL_read(tls, &bytes, Int32(bytes.count)) }
            if count > 0 { continue }
            switch SSL_get_error(tls, count) {
            case SSL_ERROR_ZERO_RETURN: return
            // Many servers close without a word once they have seen ours. A reset would be an error of its own.
            case SSL_ERROR_SYSCALL where errno == 0, SSL_ERROR_SSL where Self.isPlainEnd:
                ERR_clear_error()
                return
            default: throw failure(what, count)
            }
        }
    }

    private static var isPlainEnd: Bool {
        let reason = ERR_reason_error_string(ERR_peek_last_error()).map { String(cString: $0) } ?? ""
        return reason.contains("unexpected eof")
    }

    /// Does one thing of OpenSSL's, which says for what it waits; all of it within the limits.
    ///
    /// - Returns: what OpenSSL returned last.
    private func step(_ what: String, _ body: () -> Int32) throws(AiboxError) -> Int32 {
        let end = ContinuousClock.now + timeout
        while true {
            ERR_clear_error()
            errno = 0
            let result = body()
            if result > 0 { return result }
            let number = errno
            var waiting = pollfd(fd: socket.number, events: 0, revents: 0)
            switch SSL_get_error(tls, result) {
            case SSL_ERROR_WANT_READ: waiting.events = Int16(POLLIN)
            case SSL_ERROR_WANT_WRITE: waiting.events = Int16(POLLOUT)
            default:
                errno = number
                return result
            }
            let now = ContinuousClock.now
            if let deadline, now >= deadline { throw AiboxError(.failed, what, why: "it takes too long") }
            if now >= end { throw AiboxError(.failed, what, why: "it is silent") }
            let left = now.duration(to: min(end, deadline ?? end)).milliseconds
            if poll(&waiting, 1, Int32(clamping: left) + 1) < 0, errno != EINTR {
                throw .system(what, errno: errno)
            }
        }
    }

    private func failure(_ what: String, _ result: Int32) -> AiboxError {
        let number = errno
        if SSL_get_error(tls, result) == SSL_ERROR_SYSCALL, number != 0 {
            ERR_clear_error()
            return .system(what, errno: number)
        }
        return OpenSSL.failure(what)
    }

    static func connected(
        _ host: String, _ port: UInt16, _ timeout: Duration, _ what: String,
        deadline: ContinuousClock.Instant? = nil
    ) throws(AiboxError) -> Descriptor {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        let result = getaddrinfo(host, String(port), &hints, &list)
        guard result == 0 else { throw AiboxError(.failed, what, why: String(cString: gai_strerror(result))) }
        defer { freeaddrinfo(list) }
        var number: Int32 = 0
        var next = list
        while let address = next?.pointee {
            let left = deadline.map { min(timeout, ContinuousClock.now.duration(to: $0)) } ?? timeout
            if left <= .zero { throw AiboxError(.failed, what, why: "it takes too long") }
            let milliseconds = max(1, Int(left.milliseconds))
            var limit = timeval(tv_sec: milliseconds / 1000, tv_usec: milliseconds % 1000 * 1000)
            let socket = Descriptor(
                Glibc.socket(address.ai_family, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0))
            // connect(2) heeds the limit for sending (socket(7)).
            for option in [SO_SNDTIMEO, SO_RCVTIMEO] {
                setsockopt(socket.number, SOL_SOCKET, option, &limit, socklen_t(MemoryLayout<timeval>.size))
            }
            if socket.isOpen, connect(socket.number, address.ai_addr, address.ai_addrlen) == 0 { return socket }
            number = errno == EINPROGRESS ? ETIMEDOUT : errno
            next = address.ai_next
        }
        throw .system(what, errno: number)
    }
}
