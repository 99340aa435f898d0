// libseccomp. Reason for the constants: SCMP_ACT_ERRNO is a macro with an argument and the SCMP_ARCH_ values have
// casts, and neither reaches Swift.
#pragma once
#include <seccomp.h>

static const uint32_t AIBOX_SECCOMP_X86_64 = SCMP_ARCH_X86_64;
static const uint32_t AIBOX_SECCOMP_AARCH64 = SCMP_ARCH_AARCH64;
static const uint32_t AIBOX_SECCOMP_NATIVE = SCMP_ARCH_NATIVE;

/// The filter's answer "allowed".
static inline uint32_t aibox_seccomp_allow(void) { return SCMP_ACT_ALLOW; }
/// The filter's answer "fails with this errno".
static inline uint32_t aibox_seccomp_errno(uint16_t number) { return SCMP_ACT_ERRNO(number); }
/// The filter's answer "ask the tracer": ENOSYS where there is none.
static inline uint32_t aibox_seccomp_trace(void) { return SCMP_ACT_TRACE(0); }
/// The filter's answer "ask the listener".
static inline uint32_t aibox_seccomp_notify(void) { return SCMP_ACT_NOTIFY; }
