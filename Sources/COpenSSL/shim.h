#pragma once
#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/provider.h>
#include <openssl/rand.h>
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

// SHA-256 of the library itself, beside the providers: deprecated since 3.0, and several times cheaper to begin and end.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
static inline int aibox_sha256_start(SHA256_CTX *state) { return SHA256_Init(state); }
static inline int aibox_sha256_update(SHA256_CTX *state, const void *bytes, size_t count) {
    return SHA256_Update(state, bytes, count);
}
static inline int aibox_sha256_finish(SHA256_CTX *state, unsigned char *digest) { return SHA256_Final(digest, state); }
#pragma GCC diagnostic pop
