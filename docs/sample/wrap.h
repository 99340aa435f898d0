#include <stddef.h>

/* Writes `text` to `out` with a newline in place of a space wherever a line would pass `width`.
   Returns the number of lines. `out` has room for strlen(text) + 1 bytes. */
size_t wrap(const char *text, size_t width, char *out);
