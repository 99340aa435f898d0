#include "wrap.h"
#include <string.h>

size_t wrap(const char *text, size_t width, char *out) {
    size_t lines = 1, column = 0, space = 0, length = strlen(text);
    int has_space = 0;
    for (size_t i = 0; i < length; i++) {
        out[i] = text[i];
        if (text[i] == '\n') {
            lines++;
            column = 0;
            has_space = 0;
            continue;
        }
        column++;
        if (text[i] == ' ') {
            space = i;
            has_space = 1;
        }
        if (column > width && has_space) {
            out[space] = '\n';
            lines++;
            column = i - space;
            has_space = 0;
        }
    }
    out[length] = 0;
    return lines;
}
