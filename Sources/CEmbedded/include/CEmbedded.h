// The files that are part of the programs. Reason for C: #embed (C23) puts a file's bytes into the
// read-only data as they are, without a generator, at no cost in start-up or compile time.
#pragma once
#include <stddef.h>

/// The bytes of the embedded file with this path in the repository, or NULL.
const unsigned char *aibox_embedded_file(const char *path, size_t *length);

/// The path of the embedded file with this number, or NULL after the last.
const char *aibox_embedded_path(size_t number);
