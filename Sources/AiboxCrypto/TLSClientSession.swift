public import AiboxSystem
import COpenSSL

/// Whom clients trust, and which TLS they speak: 1.2 or newer, HTTP/2 or HTTP/1.1 on top.
///
/// The library counts references to its context and locks what it changes, so any thread may start sessions from it.
public final class TLSClientContext: @unchecked Sendable {
    fileprivate let pointer: OpaquePointer

    /// - Parameter authorities: PEM files that are trusted beside the system's store.
    public init(authorities: [String] = []) throws(AiboxError) {
        let what = "cannot set up TLS"
        let context = try OpenSSL.require(SSL_CTX_new(TLS_client_method()), what)
        pointer = context
        guard aibox_tls_at_least_1_2(context) == 1, SSL_CTX_set_default_verify_paths(context) == 1 else {
            throw OpenSSL.failure(what)
        }
        SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nil)
        for file in authorities {
            guard SSL_CTX_load_verify_file(context, file) == 1 else {
                throw OpenSSL.failure("cannot use the certificates in \(file)")
            }
        }
    }

    deinit { SSL_CTX_free(pointer) }
}

/// One TLS connection of a client as a machine without a socket: bytes of the network go in and come out on one side,
/// plain bytes on the other.
public final class TLSClientSession {
    public enum Plain: Sendable, Equatable {
        case bytes(Int)
        /// Nothing until more comes from the network.
        case none
        /// The other side has said that it sends no more (close_notify).
        case ended
    }

    private let tls: OpaquePointer
    private let incoming: OpaquePointer
    private let outgoing: OpaquePointer
    private let host: String

    /// - Parameter host: a name or an address; it must be in the server's certificate.
    public init(_ context: TLSClientContext, host: String) throws(AiboxError) {
        self.host = host
        let what = "cannot connect to \(host)"
        let tls = try OpenSSL.require(SSL_new(context.pointer), what)
        guard let incoming = BIO_new(BIO_s_mem()), let outgoing = BIO_new(BIO_s_mem()) else {
            SSL_free(tls)
            throw OpenSSL.failure(what)
        }
        // Both belong to the session from here on.
        SSL_set_bio(tls, incoming, outgoing)
        self.tls = tls
        self.incoming = incoming
        self.outgoing = outgoing
        let isAddress = X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(tls), host) == 1
        ERR_clear_error()
        if !isAddress {
            guard aibox_tls_name(tls, host) == 1, SSL_set1_host(tls, host) == 1 else { throw OpenSSL.failure(what) }
        }
        // What it likes best comes first (RFC 7301 section 3.1).
        let offered = ["h2", "http/1.1"].flatMap { [UInt8($0.utf8.count)] + Array($0.utf8) }
        // 0 is success for this one call.
        guard SSL_set_alpn_protos(tls, offered, UInt32(offered.count)) == 0 else { throw OpenSSL.failure(what) }
        SSL_set_connect_state(tls)
    }

    deinit { SSL_free(tls) }

    /// Takes bytes that came from the network.
    public func receive(_ bytes: UnsafeRawBufferPointer) throws(AiboxError) {
        var done = 0
        while done < bytes.count {
            let count = BIO_write(
                incoming, bytes.baseAddress.map { $0 + done }, Int32(min(bytes.count - done, 1 << 20)))
            if count <= 0 { throw OpenSSL.failure("cannot hear from \(host)") }
            done += Int(count)
        }
    }

    /// Goes on with the handshake.
    ///
    /// - Returns: true once it is done, and the server has proved its name.
    public func shake() throws(AiboxError) -> Bool {
        ERR_clear_error()
        let result = SSL_do_handshake(tls)
        if result == 1 { return true }
        switch SSL_get_error(tls, result) {
        case SSL_ERROR_WANT_READ, SSL_ERROR_WANT_WRITE: return false
        default:
            let verdict = SSL_get_verify_result(tls)
            if verdict != 0 {
                ERR_clear_error()
                throw AiboxError(
                    .failed, "cannot trust \(host)",
                    why: "its certificate: " + String(cString: X509_verify_cert_error_string(verdict)))
            }
            throw OpenSSL.failure("cannot connect to \(host)")
        }
    }

    /// Whether the server chose HTTP/2; HTTP/1.1 if it chose nothing. Known after the handshake.
    public var speaksHTTP2: Bool {
        var name: UnsafePointer<UInt8>?
        var count: UInt32 = 0
        SSL_get0_alpn_selected(tls, &name, &count)
        return UnsafeBufferPointer(start: name, count: Int(count)).elementsEqual("h2".utf8)
    }

    /// Decrypts what has come.
    public func read(into room: UnsafeMutableRawBufferPointer) throws(AiboxError) -> Plain {
        ERR_clear_error()
        let count = SSL_read(tls, room.baseAddress, Int32(min(room.count, 1 << 20)))
        if count > 0 { return .bytes(Int(count)) }
        switch SSL_get_error(tls, count) {
        case SSL_ERROR_WANT_READ, SSL_ERROR_WANT_WRITE: return .none
        case SSL_ERROR_ZERO_RETURN: return .ended
        default: throw OpenSSL.failure("cannot hear from \(host)")
        }
    }

    /// Encrypts.
    public func write(_ bytes: UnsafeRawBufferPointer) throws(AiboxError) {
        ERR_clear_error()
        var done = 0
        while done < bytes.count {
            let count = SSL_write(tls, bytes.baseAddress.map { $0 + done }, Int32(min(bytes.count - done, 1 << 20)))
            if count <= 0 { throw OpenSSL.failure("cannot send to \(host)") }
            done += Int(count)
        }
    }

    /// Bytes that wait to be sent to the network.
    public var waiting: Int { BIO_ctrl_pending(outgoing) }

    /// Moves waiting bytes into `room`.
    ///
    /// - Returns: how many.
    public func take(into room: UnsafeMutableRawBufferPointer) -> Int {
        max(0, Int(BIO_read(outgoing, room.baseAddress, Int32(min(room.count, 1 << 20)))))
    }

    /// Says that nothing more comes.
    public func close() {
        ERR_clear_error()
        SSL_shutdown(tls)
        ERR_clear_error()
    }
}
