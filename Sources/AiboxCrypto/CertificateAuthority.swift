public import AiboxSystem
import COpenSSL

/// A certificate authority of one sandbox: a self-signed P-256 certificate with its key, made in memory (RFC 5280).
public struct CertificateAuthority: Sendable {
    /// PEM.
    public let certificate: [UInt8]
    /// PEM, unencrypted: to be kept where nobody else reads.
    public let key: [UInt8]

    /// - Parameters:
    ///   - name: the common name of subject and issuer.
    ///   - days: how long it is valid, from an hour ago for clocks that are late.
    public static func make(name: String, days: Int) throws(AiboxError) -> CertificateAuthority {
        let what = "cannot make a certificate authority"
        let key = try OpenSSL.require(aibox_new_p256_key(), what)
        defer { EVP_PKEY_free(key) }
        let certificate = try OpenSSL.require(X509_new(), what)
        defer { X509_free(certificate) }
        try OpenSSL.require(X509_set_version(certificate, 2), what)  // version 3 is written as 2
        let serial = try OpenSSL.require(BN_new(), what)
        defer { BN_free(serial) }
        try OpenSSL.require(BN_rand(serial, 127, -1, 0), what)
        _ = try OpenSSL.require(BN_to_ASN1_INTEGER(serial, X509_get_serialNumber(certificate)), what)
        _ = try OpenSSL.require(X509_gmtime_adj(X509_getm_notBefore(certificate), -3600), what)
        _ = try OpenSSL.require(X509_gmtime_adj(X509_getm_notAfter(certificate), days * 86_400), what)
        let subject = try OpenSSL.require(X509_get_subject_name(certificate), what)
        try OpenSSL.require(
            X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, name, Int32(name.utf8.count), -1, 0), what)
        try OpenSSL.require(X509_set_issuer_name(certificate, subject), what)
        try OpenSSL.require(X509_set_pubkey(certificate, key), what)
        for (kind, value) in [
            (NID_basic_constraints, "critical,CA:TRUE,pathlen:0"), (NID_key_usage, "critical,keyCertSign,cRLSign"),
        ] {
            let addition = try OpenSSL.require(X509V3_EXT_conf_nid(nil, nil, kind, value), what)
            defer { X509_EXTENSION_free(addition) }
            try OpenSSL.require(X509_add_ext(certificate, addition, -1), what)
        }
        if X509_sign(certificate, key, EVP_sha256()) == 0 { throw OpenSSL.failure(what) }
        return CertificateAuthority(
            certificate: try pem { PEM_write_bio_X509($0, certificate) },
            key: try pem { PEM_write_bio_PrivateKey($0, key, nil, nil, 0, nil, nil) })
    }

    private static func pem(_ write: (OpaquePointer) -> Int32) throws(AiboxError) -> [UInt8] {
        let what = "cannot write a certificate"
        let memory = try OpenSSL.require(BIO_new(BIO_s_mem()), what)
        defer { BIO_free(memory) }
        try OpenSSL.require(write(memory), what)
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = BIO_read(memory, &chunk, Int32(chunk.count))
            if count <= 0 { return bytes }
            bytes += chunk.prefix(Int(count))
        }
    }
}
