// Stands in a sandbox in the place of programs that rules of the policy name: asks the gateway, and becomes the program or
// refuses. Whatever goes wrong refuses.
//
// C without a library, and a few kilobytes: what it takes to load stands before every call of a gated program.
//
// It asks with a POST whose body is strings, each with a NUL behind it: the file it stands for, the working directory, the
// words. The answer is 200, 403, or 202 where somebody is asked first, and lines up to the length that it says, else to the
// end of the connection:
//   say TEXT       for the person or agent who called
//   wait SECONDS   so long from now it may take until the end (202 alone)
//   run PATH       the end: the program lies there (200 and 202)
//   refuse         the end: it does not run (403 and 202)
//   pass           the end: an agent's own tool may be used (200 and 202, for an agent's hook alone)
// Everything else is not understood.
//
// Where it is an agent's hook it asks with what stands on its input, and says by its status what becomes of the tool.
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <time.h>

#include "kernel.h"

enum {
    gateway_address = 0x0AC80101,  // 10.200.1.1
    gateway_port = 8444,
    // Refused, or not to be executed: what shells say by the same status.
    refused = 126,
    // Seconds from the question to the end of the answer, unless the gateway says otherwise.
    patience = 15,
    longest_wait = 24 * 3600,
    head_limit = 512,
    // What blocks a tool, by the agents' conventions.
    blocked = 2,
    body_limit = 256 << 10,
    hook_limit = 1 << 20,
    line_limit = 4096,
    answer_limit = 64 << 10,
};

static char program[line_limit];
static char directory[line_limit];
static char question[head_limit + hook_limit];
static bool is_hook;
/// What has come of the answer and is not used yet, and how much there has been in all.
static char answer[line_limit];
static size_t answer_start, answer_end, answer_total;
/// Where the answer ends, counted from its beginning; 0 while only the end of the connection tells.
static size_t answer_whole;
static int64_t deadline;

static size_t length(const char *text) {
    size_t count = 0;
    while (text[count] != 0) count++;
    return count;
}

/// What stands behind a word at the beginning of a text; NULL if it does not begin so.
static const char *after(const char *text, const char *word) {
    while (*word != 0) {
        if (*text++ != *word++) return NULL;
    }
    return text;
}

// MARK: - Words

/// A line for who called; what does not fit is cut off.
static void say(const char *first, const char *second, const char *third) {
    char line[line_limit + 64];
    size_t count = 0;
    const char *parts[] = {"aibox: ", first, second, third};
    for (size_t part = 0; part < 4; part++) {
        for (const char *at = parts[part]; *at != 0 && count < sizeof line - 1; at++) line[count++] = *at;
    }
    line[count++] = '\n';
    for (size_t sent = 0; sent < count;) {
        long written = CALL(write, 2, line + sent, count - sent);
        if (written <= 0 && written != -EINTR) return;
        if (written > 0) sent += (size_t)written;
    }
}

static _Noreturn void leave(void) {
    for (;;) CALL(exit_group, is_hook ? blocked : refused);
}

static _Noreturn void fail(const char *why) {
    const char *name = *program == 0 ? "the program" : program;
    for (const char *at = program; *at != 0; at++) {
        if (*at == '/' && at[1] != 0) name = at + 1;
    }
    say(name, " is refused: ", why);
    say("without the gateway's word ", is_hook ? "no tool is used" : "nothing runs that a rule names", "");
    leave();
}

// MARK: - The connection

static int64_t milliseconds(void) {
    struct timespec time = {0};
    CALL(clock_gettime, CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

/// Waits until the socket is ready.
static void ready(int socket, short events) {
    for (;;) {
        int64_t left = deadline - milliseconds();
        if (left <= 0) fail("the gateway does not answer");
        struct pollfd entry = {.fd = socket, .events = events};
        struct timespec time = {.tv_sec = left / 1000, .tv_nsec = left % 1000 * 1000000};
        long result = CALL(ppoll, &entry, 1, &time, NULL, 0);
        if (result > 0) return;
        if (result < 0 && result != -EINTR) fail("cannot wait for the gateway");
    }
}

static int dial(void) {
    long socket = CALL(socket, AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (socket < 0) fail("cannot make a socket");
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = __builtin_bswap16(gateway_port),
        .sin_addr.s_addr = __builtin_bswap32(gateway_address),
    };
    long connected = CALL(connect, socket, &address, sizeof address);
    if (connected == -EINPROGRESS || connected == -EINTR) {
        ready((int)socket, POLLOUT);
        int error = 0;
        socklen_t size = sizeof error;
        connected = CALL(getsockopt, socket, SOL_SOCKET, SO_ERROR, &error, &size);
        if (error != 0) connected = -error;
    }
    if (connected != 0) fail("cannot reach the gateway");
    return (int)socket;
}

static void send_all(int socket, const char *bytes, size_t count) {
    while (count > 0) {
        long sent = CALL(sendto, socket, bytes, count, MSG_NOSIGNAL, NULL, 0);
        if (sent > 0) {
            bytes += sent;
            count -= (size_t)sent;
        } else if (sent == -EAGAIN) {
            ready(socket, POLLOUT);
        } else if (sent != -EINTR) {
            fail("the gateway hung up");
        }
    }
}

/// Takes some more of the answer; false at its end.
static bool receive(int socket) {
    for (;;) {
        long count = CALL(recvfrom, socket, answer + answer_end, sizeof answer - answer_end, 0, NULL, NULL);
        if (count > 0) {
            answer_end += (size_t)count;
            answer_total += (size_t)count;
            if (answer_total > answer_limit) fail("the gateway says more than is read");
            return true;
        }
        if (count == 0) return false;
        if (count == -EAGAIN) {
            ready(socket, POLLIN);
        } else if (count != -EINTR) {
            fail("the gateway hung up");
        }
    }
}

// MARK: - The question

static size_t add(size_t count, const char *bytes, size_t more) {
    if (more > sizeof question - count) fail("its command line is longer than 262144 bytes");
    memcpy(question + count, bytes, more);
    return count + more;
}

/// The head of a question; its bytes are returned.
static size_t head(const char *path, size_t body) {
    const char *parts[] = {
        "POST ", path,
        " HTTP/1.1\r\nHost: 10.200.1.1:8444\r\nContent-Type: application/octet-stream\r\n"
        "Connection: close\r\nContent-Length: "};
    size_t count = 0;
    for (size_t index = 0; index < 3; index++) count = add(count, parts[index], length(parts[index]));
    char digits[20];
    size_t first = sizeof digits;
    do digits[--first] = (char)('0' + body % 10);
    while ((body /= 10) > 0);
    count = add(count, digits + first, sizeof digits - first);
    return add(count, "\r\n\r\n", 4);
}

/// An agent's question: what it says on the input, to the end. A call that is longer is not allowed.
static size_t ask_for_agent(void) {
    static char body[hook_limit + 1];
    size_t count = 0;
    for (;;) {
        long got = CALL(read, 0, body + count, sizeof body - count);
        if (got == -EINTR) continue;
        if (got < 0) fail("what it is to do cannot be read");
        if (got == 0) break;
        count += (size_t)got;
        if (count > hook_limit) fail("what it is to do is longer than 1048576 bytes");
    }
    return add(head("/v1/agent", count), body, count);
}

/// The question about a call; its bytes are returned.
static size_t ask(char *const *words) {
    const char *const none[] = {program, NULL};
    const char *const *given = words[0] == NULL ? none : (const char *const *)words;
    const char *parts[] = {program, directory};
    size_t body = length(program) + length(directory) + 2;
    for (size_t index = 0; given[index] != NULL; index++) {
        body += length(given[index]) + 1;
        if (body > body_limit) fail("its command line is longer than 262144 bytes");
    }
    size_t count = head("/v1/tool", body);
    for (size_t index = 0; index < 2; index++) count = add(count, parts[index], length(parts[index]) + 1);
    for (size_t index = 0; given[index] != NULL; index++) count = add(count, given[index], length(given[index]) + 1);
    return count;
}

// MARK: - The answer

static _Noreturn void misunderstood(void) { fail("the gateway's answer is not understood"); }

/// Bytes of the answer that were understood.
static size_t understood(void) { return answer_total - (answer_end - answer_start); }

/// The next line without its end; NULL at the end of the answer. It holds no control characters; those of the head lose
/// the CR before their end.
static const char *next_line(int socket, bool is_head) {
    if (answer_whole != 0 && understood() == answer_whole) return NULL;
    size_t at = answer_start;
    for (;;) {
        for (; at < answer_end && answer[at] != '\n'; at++) {}
        if (at < answer_end) break;
        memmove(answer, answer + answer_start, answer_end - answer_start);
        at -= answer_start;
        answer_end -= answer_start;
        answer_start = 0;
        if (answer_end == sizeof answer) misunderstood();
        if (!receive(socket)) {
            if (answer_end > 0 || answer_whole != 0) misunderstood();
            return NULL;
        }
    }
    char *line = answer + answer_start;
    size_t count = at - answer_start;
    answer_start = at + 1;
    if (answer_whole != 0 && understood() > answer_whole) misunderstood();
    if (is_head) {
        if (count == 0 || line[count - 1] != '\r') misunderstood();
        count--;
    }
    line[count] = 0;
    for (size_t index = 0; index < count; index++) {
        if ((unsigned char)line[index] < 0x20 || line[index] == 0x7f) misunderstood();
    }
    return line;
}

/// A whole number in decimal digits, at least one.
static int64_t number(const char *text, int64_t most) {
    int64_t number = 0;
    if (*text == 0) misunderstood();
    for (; *text != 0; text++) {
        if (*text < '0' || *text > '9') misunderstood();
        number = number * 10 + (*text - '0');
        if (number > most) misunderstood();
    }
    if (number == 0) misunderstood();
    return number;
}

/// Reads the answer to its end, and returns where the program lies. Does not return if it is refused.
static const char *understand(int socket) {
    static char path[line_limit];
    const char *line = next_line(socket, true);
    if (line == NULL) misunderstood();
    bool may_run = after(line, "HTTP/1.1 200 ") != NULL;
    bool may_refuse = after(line, "HTTP/1.1 403 ") != NULL;
    bool may_wait = after(line, "HTTP/1.1 202 ") != NULL;
    if (!may_run && !may_refuse && !may_wait) misunderstood();
    size_t body = 0;
    do {
        line = next_line(socket, true);
        if (line == NULL) misunderstood();
        const char *rest = after(line, "Content-Length: ");
        if (rest != NULL && body != 0) misunderstood();
        if (rest != NULL) body = (size_t)number(rest, answer_limit);
    } while (*line != 0);
    if (body != 0) answer_whole = understood() + body;
    bool is_refused = false, is_passed = false;
    while ((line = next_line(socket, false)) != NULL) {
        // Nothing comes behind the end.
        if (is_refused || is_passed || path[0] != 0) misunderstood();
        const char *rest;
        if ((rest = after(line, "say ")) != NULL) {
            say(rest, "", "");
        } else if (may_wait && (rest = after(line, "wait ")) != NULL) {
            deadline = milliseconds() + number(rest, longest_wait) * 1000;
        } else if (is_hook && (may_run || may_wait) && (rest = after(line, "pass")) != NULL && *rest == 0) {
            is_passed = true;
        } else if (!is_hook && (may_run || may_wait) && (rest = after(line, "run ")) != NULL && *rest == '/') {
            memcpy(path, rest, length(rest) + 1);
        } else if ((may_refuse || may_wait) && (rest = after(line, "refuse")) != NULL && *rest == 0) {
            is_refused = true;
        } else {
            misunderstood();
        }
    }
    if (is_refused) leave();
    if (is_passed) {
        for (;;) CALL(exit_group, 0);
    }
    if (path[0] == 0) misunderstood();
    return path;
}

/// Where a link of /proc leads; false if that cannot be told in full.
static bool follow(const char *link, char room[line_limit]) {
    long count = CALL(readlinkat, AT_FDCWD, link, room, line_limit);
    bool is_whole = count > 0 && count < line_limit;
    if (is_whole) {
        room[count] = 0;
    } else {
        room[0] = 0;
    }
    return is_whole;
}

_Noreturn void start(const size_t *stack) {
    char *const *words = (char *const *)(stack + 1);
    char *const *environment = words + stack[0] + 1;
    deadline = milliseconds() + patience * 1000;
    if (!follow("/proc/self/exe", program)) fail("it cannot be told which program it is");
    follow("/proc/self/cwd", directory);
    for (const char *at = program; *at != 0; at++) {
        const char *rest = after(at, "/agent-hook");
        if (rest != NULL && *rest == 0) is_hook = true;
    }
    size_t count = is_hook ? ask_for_agent() : ask(words);
    int socket = dial();
    send_all(socket, question, count);
    const char *path = understand(socket);
    // Its words and its environment as they came, byte by byte.
    CALL(execve, path, words, environment);
    fail("it was allowed, and cannot be executed");
}
