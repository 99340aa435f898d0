// Where a program begins and how it calls Linux, without a C library: x86-64 and AArch64 (syscall(2)).
#pragma once
#include <errno.h>
#include <stddef.h>
#include <sys/syscall.h>

_Noreturn void start(const size_t *stack);

#if defined(__x86_64__)

__asm__(".globl _start\n_start: xor %ebp, %ebp\n mov %rsp, %rdi\n and $-16, %rsp\n call start\n ud2\n");

static long kernel(long call, long a, long b, long c, long d, long e, long f) {
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    register long r9 __asm__("r9") = f;
    long result;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "0"(call), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
}

#elif defined(__aarch64__)

__asm__(".globl _start\n_start: mov x29, xzr\n mov x30, xzr\n mov x0, sp\n bl start\n brk #1\n");

static long kernel(long call, long a, long b, long c, long d, long e, long f) {
    register long x8 __asm__("x8") = call;
    register long x0 __asm__("x0") = a;
    register long x1 __asm__("x1") = b;
    register long x2 __asm__("x2") = c;
    register long x3 __asm__("x3") = d;
    register long x4 __asm__("x4") = e;
    register long x5 __asm__("x5") = f;
    __asm__ volatile("svc #0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory");
    return x0;
}

#else
#error "no start and no system calls for this processor"
#endif

/// The result, or a negative errno. Up to six arguments.
#define CALL(name, ...) CALL_SIX(SYS_##name, ##__VA_ARGS__, 0, 0, 0, 0, 0, 0)
#define CALL_SIX(number, a, b, c, d, e, f, ...) \
    kernel(number, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))

// What compilers call without being asked.
void *memcpy(void *to, const void *from, size_t count) {
    char *at = to;
    for (const char *next = from; count > 0; count--) *at++ = *next++;
    return to;
}

void *memmove(void *to, const void *from, size_t count) {
    char *at = to;
    const char *next = from;
    if (at <= next) return memcpy(to, from, count);
    while (count-- > 0) at[count] = next[count];
    return to;
}

void *memset(void *to, int byte, size_t count) {
    for (char *at = to; count > 0; count--) *at++ = (char)byte;
    return to;
}
