#include "wrap.h"
#include <assert.h>
#include <stdio.h>
#include <string.h>

int main(void) {
    char out[64];
    assert(wrap("one two three", 7, out) == 2 && strcmp(out, "one two\nthree") == 0);
    assert(wrap("unbreakable", 4, out) == 1 && strcmp(out, "unbreakable") == 0);
    assert(wrap("a\nb c", 1, out) == 3 && strcmp(out, "a\nb\nc") == 0);
    assert(wrap("", 4, out) == 1 && out[0] == 0);
    puts("wrap: 4 checks passed");
    return 0;
}
