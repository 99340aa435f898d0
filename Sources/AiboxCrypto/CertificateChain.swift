public import AiboxSystem
import COpenSSL
import Glibc

/// X.509 certificates (RFC 5280), each in DER: one and those that vouch for it, or the authorities that somebody trusts.
public struct CertificateChain: Sendable, Equatable {
    /// The first is whom the chain is about.
    public let certificates: [[UInt8]]

    /// Certificates at most.
    public static let longest = 64

    /// Certificates one after the other, with nothing between and nothing after them.
    public init(concatenated bytes: [UInt8]) throws(AiboxError) {
        var found: [[UInt8]] = []
        var offset = 0
        while offset < bytes.count, found.count <= Self.longest {
            let count = bytes.withUnsafeBufferPointer { buffer -> Int in
                var next = buffer.baseAddress.map { $0 + offset }
                let certificate = d2i_X509(nil, &next, buffer.count - offset)
                defer { X509_free(certificate) }
                guard certificate != nil, let start = buffer.baseAddress, let next else { return 0 }
                return next - start - offset
            }
            ERR_clear_error()
            if count <= 0 { throw Self.unfit("it holds something else than certificates") }
            found.append(Array(bytes[offset..<offset + count]))
            offset += count
        }
        try self.init(found)
    }

    /// Every `CERTIFICATE` block of a PEM text (RFC 7468).
    public init(pem text: [UInt8]) throws(AiboxError) {
        let memory = try OpenSSL.require(BIO_new_mem_buf(text, Int32(clamping: text.count)), "cannot read certificates")
        defer { BIO_free(memory) }
        var found: [[UInt8]] = []
        while found.count <= Self.longest,
            let certificate = PEM_read_bio_X509(memory, nil, { _, _, _, _ in -1 }, nil)
        {
            defer { X509_free(certificate) }
            var bytes = [UInt8](repeating: 0, count: Int(i2d_X509(certificate, nil)))
            bytes.withUnsafeMutableBufferPointer { buffer in
                var next = buffer.baseAddress
                i2d_X509(certificate, &next)
            }
            found.append(bytes)
        }
        // The text's end is no error; a block that cannot be read is.
        let reason = ERR_GET_REASON(ERR_peek_last_error())
        ERR_clear_error()
        if reason != PEM_R_NO_START_LINE, found.count <= Self.longest {
            throw Self.unfit("a block of its PEM text cannot be read")
        }
        try self.init(found)
    }

    private init(_ certificates: [[UInt8]]) throws(AiboxError) {
        if certificates.isEmpty { throw Self.unfit("there is none") }
        if certificates.count > Self.longest { throw Self.unfit("there are more than \(Self.longest)") }
        self.certificates = certificates
    }

    private static func unfit(_ why: String) -> AiboxError {
        AiboxError(.failed, "cannot read certificates", why: why)
    }

    /// What the first certificate says of itself.
    public struct Leaf: Sendable, Equatable {
        /// The subject on one line; empty if it has none.
        public var subject: String
        /// Its alternative names of the kind URI.
        public var uris: [String]
        public var isAuthority: Bool
        /// The bits of the extension key usage; nil without it.
        public var keyUsage: KeyUsage?
        public var isKeyUsageCritical: Bool
        /// Whether the extended key usage, if there is one, names clients; the same for servers.
        public var isForClients: Bool
        public var isForServers: Bool
        public var notBefore: Timestamp
        public var notAfter: Timestamp
    }

    /// RFC 5280, section 4.2.1.3.
    public struct KeyUsage: OptionSet, Sendable {
        public let rawValue: UInt32
        public init(rawValue: UInt32) { self.rawValue = rawValue }
        public static let digitalSignature = KeyUsage(rawValue: UInt32(KU_DIGITAL_SIGNATURE))
        public static let certificateSign = KeyUsage(rawValue: UInt32(KU_KEY_CERT_SIGN))
        public static let revocationSign = KeyUsage(rawValue: UInt32(KU_CRL_SIGN))
    }

    public func leaf() throws(AiboxError) -> Leaf {
        let certificate = try Self.decode(certificates[0])
        defer { X509_free(certificate) }
        // Reads the extensions; the answer is in the flags.
        _ = X509_check_ca(certificate)
        let flags = X509_get_extension_flags(certificate)
        if flags & UInt32(EXFLAG_INVALID) != 0 { throw Self.unfit("one has extensions that cannot be read") }
        let usage = X509_get_key_usage(certificate)
        let extended = X509_get_extended_key_usage(certificate)
        return Leaf(
            subject: Self.text(X509_get_subject_name(certificate)), uris: try Self.uris(certificate),
            isAuthority: flags & UInt32(EXFLAG_CA) != 0,
            keyUsage: flags & UInt32(EXFLAG_KUSAGE) == 0 ? nil : KeyUsage(rawValue: usage),
            isKeyUsageCritical: Self.isKeyUsageCritical(certificate),
            isForClients: extended & UInt32(XKU_SSL_CLIENT) != 0,
            isForServers: extended & UInt32(XKU_SSL_SERVER) != 0,
            notBefore: try Self.time(X509_get0_notBefore(certificate)),
            notAfter: try Self.time(X509_get0_notAfter(certificate)))
    }

    /// Builds and checks the path from the first certificate to one of `authorities` (RFC 5280, section 6), by way of the others, for a
    /// client of TLS at `time`. An authority need not be self-signed.
    ///
    /// - Throws: why there is no such path.
    public func verify(authorities: CertificateChain, at time: Timestamp) throws(AiboxError) {
        let what = "cannot check a certificate"
        let store = try OpenSSL.require(X509_STORE_new(), what)
        defer { X509_STORE_free(store) }
        for bytes in authorities.certificates {
            let authority = try Self.decode(bytes)
            defer { X509_free(authority) }
            try OpenSSL.require(X509_STORE_add_cert(store, authority), what)
        }
        let others = try OpenSSL.require(OPENSSL_sk_new_null(), what)
        // The stack holds pointers; the certificates are freed here.
        var held: [OpaquePointer] = []
        defer {
            for certificate in held { X509_free(certificate) }
            OPENSSL_sk_free(others)
        }
        for bytes in certificates.dropFirst() {
            let certificate = try Self.decode(bytes)
            held.append(certificate)
            OPENSSL_sk_push(others, UnsafeRawPointer(certificate))
        }
        let leaf = try Self.decode(certificates[0])
        defer { X509_free(leaf) }
        let context = try OpenSSL.require(X509_STORE_CTX_new(), what)
        defer { X509_STORE_CTX_free(context) }
        try OpenSSL.require(X509_STORE_CTX_init(context, store, leaf, others), what)
        let parameters = X509_STORE_CTX_get0_param(context)
        X509_VERIFY_PARAM_set_time(parameters, time_t(time.seconds))
        X509_VERIFY_PARAM_set_depth(parameters, 16)
        try OpenSSL.require(X509_VERIFY_PARAM_set_flags(parameters, UInt(X509_V_FLAG_PARTIAL_CHAIN)), what)
        try OpenSSL.require(X509_VERIFY_PARAM_set_purpose(parameters, X509_PURPOSE_SSL_CLIENT), what)
        if X509_verify_cert(context) != 1 {
            let code = X509_STORE_CTX_get_error(context)
            ERR_clear_error()
            throw AiboxError(
                .failed, "a certificate does not come from its authority",
                why: String(cString: X509_verify_cert_error_string(Int(code))))
        }
    }

    /// The caller frees it.
    static func decode(_ bytes: [UInt8]) throws(AiboxError) -> OpaquePointer {
        let certificate = bytes.withUnsafeBufferPointer { buffer -> OpaquePointer? in
            var next = buffer.baseAddress
            return d2i_X509(nil, &next, buffer.count)
        }
        return try OpenSSL.require(certificate, "cannot read a certificate")
    }

    private static func uris(_ certificate: OpaquePointer) throws(AiboxError) -> [String] {
        var uris: [String] = []
        let names = aibox_alternative_names(certificate)
        defer { aibox_free_names(names) }
        for index in 0..<aibox_name_count(names) {
            var count: Int32 = 0
            guard let start = aibox_uri_name(names, index, &count) else { continue }
            let bytes = UnsafeBufferPointer(start: start, count: Int(max(0, count)))
            guard bytes.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else {
                throw unfit("one has a name with characters that no URI has")
            }
            uris.append(String(decoding: bytes, as: UTF8.self))
        }
        return uris
    }

    private static func isKeyUsageCritical(_ certificate: OpaquePointer) -> Bool {
        let place = X509_get_ext_by_NID(certificate, NID_key_usage, -1)
        guard place >= 0 else { return false }
        return X509_EXTENSION_get_critical(X509_get_ext(certificate, place)) == 1
    }

    private static func text(_ name: OpaquePointer?) -> String {
        guard let name, let line = X509_NAME_oneline(name, nil, 0) else { return "" }
        defer { aibox_openssl_free(line) }
        return SafeText.escaped(String(cString: line))
    }

    private static func time(_ value: UnsafePointer<ASN1_TIME>?) throws(AiboxError) -> Timestamp {
        var parts = tm()
        guard let value, ASN1_TIME_to_tm(value, &parts) == 1 else { throw unfit("one has a time that cannot be read") }
        return Timestamp(seconds: Int64(timegm(&parts)))
    }
}
