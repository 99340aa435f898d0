#pragma once
#include <zlib.h>

// Macros, which Swift does not see. 15 is the largest window, 16 asks for gzip's own header and check (zlib.h).
static inline int aibox_gunzip_start(z_stream *stream) { return inflateInit2(stream, 15 + 16); }
static inline int aibox_gzip_start(z_stream *stream) {
    return deflateInit2(stream, Z_BEST_COMPRESSION, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
}
