#pragma once
#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/provider.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/sha.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

// EVP_EC_gen is a macro over a variadic function, which Swift cannot call.
static inline EVP_PKEY *aibox_new_p256_key(void) { return EVP_EC_gen("P-256"); }

// Macros over SSL_ctrl and SSL_CTX_ctrl, which Swift does not see.
static inline long aibox_tls_name(SSL *tls, const char *host) { return SSL_set_tlsext_host_name(tls, host); }
static inline int aibox_tls_at_least_1_2(SSL_CTX *context) {
    return SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
}
static inline long aibox_tls_add_chain(SSL_CTX *context, X509 *certificate) {
    return SSL_CTX_add1_chain_cert(context, certificate);
}

// Macros, and stacks with their types.
static inline void aibox_openssl_free(void *pointer) { OPENSSL_free(pointer); }
static inline GENERAL_NAMES *aibox_alternative_names(X509 *certificate) {
    return (GENERAL_NAMES *)X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
}
static inline int aibox_name_count(const GENERAL_NAMES *names) { return names ? sk_GENERAL_NAME_num(names) : 0; }
// NULL where the name is no URI.
static inline const unsigned char *aibox_uri_name(const GENERAL_NAMES *names, int index, int *count) {
    const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, index);
    if (name->type != GEN_URI) return NULL;
    *count = ASN1_STRING_length(name->d.uniformResourceIdentifier);
    return ASN1_STRING_get0_data(name->d.uniformResourceIdentifier);
}
static inline void aibox_free_names(GENERAL_NAMES *names) { GENERAL_NAMES_free(names); }

// SHA-256 of the library itself, beside the providers: deprecated since 3.0, and several times cheaper to begin and end.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
static inline int aibox_sha256_start(SHA256_CTX *state) { return SHA256_Init(state); }
static inline int aibox_sha256_update(SHA256_CTX *state, const void *bytes, size_t count) {
    return SHA256_Update(state, bytes, count);
}
static inline int aibox_sha256_finish(SHA256_CTX *state, unsigned char *digest) { return SHA256_Final(digest, state); }
#pragma GCC diagnostic pop
