// explicit_bzero(3).
#define _DEFAULT_SOURCE

#include "sha256_pair.h"

#include <string.h>

#if defined(__x86_64__)

#include <cpuid.h>
#include <immintrin.h>

#define BLOCK 64

static const uint32_t initial[8] = {
    0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
};

static const uint32_t constants[64] __attribute__((aligned(16))) = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

/// One message on its way: whole blocks from up to three places, one after the other.
struct chain {
    uint32_t state[8];
    struct {
        const uint8_t *bytes;
        size_t blocks;
    } parts[3];
    int part;
    uint8_t first[BLOCK];
    uint8_t last[2 * BLOCK];
};

bool aibox_sha256_pair_available(void) {
    unsigned a, b, c, d;
    if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_SSSE3) || !(c & bit_SSE4_1)) return false;
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & bit_SHA);
}

static const uint8_t *next_block(struct chain *chain) {
    while (chain->part < 3) {
        if (chain->parts[chain->part].blocks > 0) {
            const uint8_t *block = chain->parts[chain->part].bytes;
            chain->parts[chain->part].bytes += BLOCK;
            chain->parts[chain->part].blocks--;
            return block;
        }
        chain->part++;
    }
    return NULL;
}

/// A first block of `first_count` bytes is begun already in `first`; `bytes` follow and then the padding.
static void prepare(struct chain *chain, size_t first_count, const uint8_t *bytes, size_t count) {
    memcpy(chain->state, initial, sizeof initial);
    chain->part = 0;
    size_t total = first_count + count, taken = 0;
    bool has_first = total >= BLOCK;
    if (has_first) {
        taken = BLOCK - first_count;
        memcpy(chain->first + first_count, bytes, taken);
    }
    size_t middle = (count - taken) / BLOCK;
    size_t rest = count - taken - middle * BLOCK;
    size_t filled = 0;
    if (!has_first) {
        memcpy(chain->last, chain->first, first_count);
        filled = first_count;
    }
    memcpy(chain->last + filled, bytes + taken + middle * BLOCK, rest);
    filled += rest;
    size_t last_blocks = filled + 9 > BLOCK ? 2 : 1;
    chain->last[filled] = 0x80;
    memset(chain->last + filled + 1, 0, last_blocks * BLOCK - filled - 9);
    uint64_t bits = __builtin_bswap64((uint64_t)total * 8);
    memcpy(chain->last + last_blocks * BLOCK - 8, &bits, 8);
    chain->parts[0].bytes = chain->first;
    chain->parts[0].blocks = has_first ? 1 : 0;
    chain->parts[1].bytes = bytes + taken;
    chain->parts[1].blocks = middle;
    chain->parts[2].bytes = chain->last;
    chain->parts[2].blocks = last_blocks;
}

/// The key's block of RFC 2104.
static void pad(uint8_t block[BLOCK], const uint8_t key[32], uint8_t value) {
    for (int index = 0; index < 32; index++) block[index] = key[index] ^ value;
    memset(block + 32, value, BLOCK - 32);
}

static void output(const struct chain *chain, uint8_t digest[32]) {
    for (int index = 0; index < 8; index++) {
        uint32_t word = __builtin_bswap32(chain->state[index]);
        memcpy(digest + 4 * index, &word, 4);
    }
}

#define SHA __attribute__((target("sha,sse4.1,ssse3")))

/// The state as the instructions want it: ABEF and CDGH.
struct lane {
    __m128i abef, cdgh, message[4];
};

SHA static inline void load(struct lane *lane, const uint32_t state[8]) {
    __m128i low = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)state), 0xB1);
    __m128i high = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)(state + 4)), 0x1B);
    lane->abef = _mm_alignr_epi8(low, high, 8);
    lane->cdgh = _mm_blend_epi16(high, low, 0xF0);
}

SHA static inline void store(const struct lane *lane, uint32_t state[8]) {
    __m128i low = _mm_shuffle_epi32(lane->abef, 0x1B);
    __m128i high = _mm_shuffle_epi32(lane->cdgh, 0xB1);
    _mm_storeu_si128((__m128i *)state, _mm_blend_epi16(low, high, 0xF0));
    _mm_storeu_si128((__m128i *)(state + 4), _mm_alignr_epi8(high, low, 8));
}

SHA static inline void begin(struct lane *lane, const uint8_t *block) {
    const __m128i order = _mm_set_epi64x(0x0c0d0e0f08090a0bLL, 0x0405060700010203LL);
    for (int index = 0; index < 4; index++) {
        __m128i words = _mm_loadu_si128((const __m128i *)(block + 16 * index));
        lane->message[index] = _mm_shuffle_epi8(words, order);
    }
}

/// Four rounds, and the four words of the message that are needed sixteen rounds later.
SHA static inline __attribute__((always_inline)) void rounds(struct lane *lane, int quad) {
    __m128i *m = lane->message;
    __m128i words = _mm_add_epi32(m[quad & 3], _mm_load_si128((const __m128i *)(constants + 4 * quad)));
    lane->cdgh = _mm_sha256rnds2_epu32(lane->cdgh, lane->abef, words);
    lane->abef = _mm_sha256rnds2_epu32(lane->abef, lane->cdgh, _mm_shuffle_epi32(words, 0x0E));
    if (quad < 12) {
        __m128i sum = _mm_sha256msg1_epu32(m[quad & 3], m[(quad + 1) & 3]);
        sum = _mm_add_epi32(sum, _mm_alignr_epi8(m[(quad + 3) & 3], m[(quad + 2) & 3], 4));
        m[quad & 3] = _mm_sha256msg2_epu32(sum, m[(quad + 3) & 3]);
    }
}

SHA static inline void add(struct lane *lane, __m128i abef, __m128i cdgh) {
    lane->abef = _mm_add_epi32(lane->abef, abef);
    lane->cdgh = _mm_add_epi32(lane->cdgh, cdgh);
}

SHA static void run_pair(struct chain *one, struct chain *two) {
    struct lane a, b;
    load(&a, one->state);
    load(&b, two->state);
    const uint8_t *left = next_block(one), *right = next_block(two);
    while (left && right) {
        __m128i a0 = a.abef, a1 = a.cdgh, b0 = b.abef, b1 = b.cdgh;
        begin(&a, left);
        begin(&b, right);
#pragma clang loop unroll(full)
        for (int quad = 0; quad < 16; quad++) {
            rounds(&a, quad);
            rounds(&b, quad);
        }
        add(&a, a0, a1);
        add(&b, b0, b1);
        left = next_block(one);
        right = next_block(two);
    }
    for (; left; left = next_block(one)) {
        __m128i a0 = a.abef, a1 = a.cdgh;
        begin(&a, left);
#pragma clang loop unroll(full)
        for (int quad = 0; quad < 16; quad++) rounds(&a, quad);
        add(&a, a0, a1);
    }
    for (; right; right = next_block(two)) {
        __m128i b0 = b.abef, b1 = b.cdgh;
        begin(&b, right);
#pragma clang loop unroll(full)
        for (int quad = 0; quad < 16; quad++) rounds(&b, quad);
        add(&b, b0, b1);
    }
    store(&a, one->state);
    store(&b, two->state);
}

void aibox_sha256_line(
    const uint8_t *line, size_t count, size_t authenticated, const uint8_t key[32], const uint8_t *label,
    size_t label_count, uint8_t leaf[32], uint8_t mac[32], uint8_t next[32]) {
    struct chain one, two;
    uint8_t inner[32];

    one.first[0] = 0;
    prepare(&one, 1, line, count);
    pad(two.first, key, 0x36);
    prepare(&two, BLOCK, line, authenticated);
    run_pair(&one, &two);
    output(&one, leaf);
    output(&two, inner);

    memcpy(one.first, label, label_count);
    prepare(&one, label_count, key, 32);
    pad(two.first, key, 0x5c);
    prepare(&two, BLOCK, inner, 32);
    run_pair(&one, &two);
    output(&one, next);
    output(&two, mac);

    // Both held what comes from a key.
    explicit_bzero(&one, sizeof one);
    explicit_bzero(&two, sizeof two);
    explicit_bzero(inner, sizeof inner);
}

#else

bool aibox_sha256_pair_available(void) { return false; }

void aibox_sha256_line(
    const uint8_t *line, size_t count, size_t authenticated, const uint8_t key[32], const uint8_t *label,
    size_t label_count, uint8_t leaf[32], uint8_t mac[32], uint8_t next[32]) {
    (void)line, (void)count, (void)authenticated, (void)key, (void)label, (void)label_count;
    (void)leaf, (void)mac, (void)next;
}

#endif
