#ifndef AIBOX_SHA256_PAIR_H
#define AIBOX_SHA256_PAIR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// Whether this processor has the SHA instructions that the pair is written for.
bool aibox_sha256_pair_available(void);

/// The digests of a log line, both at once: two chains of SHA-256 (FIPS 180-4) whose instructions alternate. One chain
/// alone waits for each result of its own before it goes on, so the pair takes little longer than one.
///
/// - leaf = SHA-256(0x00 || line)
/// - mac  = HMAC-SHA-256(key, the first `authenticated` bytes of the line), RFC 2104
/// - next = SHA-256(label || key): the key that follows; `label_count` is at most 23
void aibox_sha256_line(
    const uint8_t *line, size_t count, size_t authenticated, const uint8_t key[32], const uint8_t *label,
    size_t label_count, uint8_t leaf[32], uint8_t mac[32], uint8_t next[32]);

#endif
