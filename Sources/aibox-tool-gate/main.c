// Stands in a sandbox in the place of programs that rules of the policy name: asks the gateway, and becomes the program or
// refuses. Whatever goes wrong refuses.
//
// C without a library, and a few kilobytes: what it takes to load stands before every call of a gated program.
//
// It asks with strings, each with a NUL behind it: the file it stands for, the working directory, the words. First in one
// datagram, since a connection takes longer than all the rest under gVisor; where that is not answered, or with 202, or the
// question is long, in the body of a POST. Before the strings of a datagram stands the line
//   aibox 1 DIGITS
// with 32 hexadecimal digits at random, and before its answer the same with a status. Over a connection the digits stand in
// the field X-Aibox-Question: what was asked by a datagram before is not decided twice. The answer is 200, 403, or, over a
// connection alone, 202 where somebody is asked first, and lines up to the length that it says, else to its end:
//   say TEXT       for the person or agent who called
//   wait SECONDS   so long from now it may take until the end (202 alone)
//   run PATH       the end: the program lies there (200 and 202)
//   refuse         the end: it does not run (403 and 202)
//   pass           the end: an agent's own tool may be used (200 and 202, for an agent's hook alone)
// Everything else is not understood.
//
// Where it is an agent's hook it asks with what stands on its input, and says by its status what becomes of the tool.
#include <elf.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/mman.h>
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
    // Bytes of a datagram with a question, and seconds for its answer.
    datagram_limit = 1200,
    datagram_patience = 2,
    mark_length = 8 + 32,
};

static char program[line_limit];
static char directory[line_limit];
/// Most questions fit in here; longer ones get room of their own: what a process does not touch costs it as well.
static char short_question[8192];
static char *question;
static size_t question_room;
static bool is_hook;
/// What has come of the answer and is not used yet, and how much there has been in all.
static char answer[line_limit];
static size_t answer_start, answer_end, answer_total;
/// Where the answer ends, counted from its beginning; 0 while only the end of the connection tells.
static size_t answer_whole;
/// How long is still waited: ppoll(2) takes off what it waited. Nothing else here takes time, and to ask a clock would
/// (each system call costs gVisor tens of microseconds).
static struct timespec left;

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

/// Waits until the socket is ready; false if it failed.
static bool ready(int socket, short events) {
    for (;;) {
        struct pollfd entry = {.fd = socket, .events = events};
        long result = CALL(ppoll, &entry, 1, &left, NULL, 0);
        if (result > 0) return (entry.revents & (POLLERR | POLLNVAL)) == 0;
        if (result == 0) fail("the gateway does not answer");
        if (result != -EINTR) fail("cannot wait for the gateway");
    }
}

static const struct sockaddr_in gateway = {
    .sin_family = AF_INET,
    .sin_port = __builtin_bswap16(gateway_port),
    .sin_addr.s_addr = __builtin_bswap32(gateway_address),
};

static int dial(void) {
    long socket = CALL(socket, AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (socket < 0) fail("cannot make a socket");
    long connected = CALL(connect, socket, &gateway, sizeof gateway);
    bool comes = connected == -EINPROGRESS || connected == -EINTR;
    if (comes ? !ready((int)socket, POLLOUT) : connected != 0) fail("cannot reach the gateway");
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
        // An answer is never there already.
        ready(socket, POLLIN);
        long count = CALL(recvfrom, socket, answer + answer_end, sizeof answer - answer_end, 0, NULL, NULL);
        if (count > 0) {
            answer_end += (size_t)count;
            answer_total += (size_t)count;
            if (answer_total > answer_limit) fail("the gateway says more than is read");
            return true;
        }
        if (count == 0) return false;
        if (count != -EAGAIN && count != -EINTR) fail("the gateway hung up");
    }
}

// MARK: - The question

/// Room for a head and so much behind it.
static void make_room(size_t body) {
    if (body <= question_room - head_limit) return;
    long room = CALL(mmap, NULL, head_limit + body, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (room < 0 && room > -4096) fail("there is no memory to ask");
    question = (char *)room;
    question_room = head_limit + body;
}

/// Where a question's strings, or an agent's call, stand: behind the room for a head.
static char *body(void) { return question + head_limit; }

static void write_digits(char to[32], const unsigned char random[16]) {
    for (size_t index = 0; index < 16; index++) {
        to[2 * index] = "0123456789abcdef"[random[index] >> 4];
        to[2 * index + 1] = "0123456789abcdef"[random[index] & 15];
    }
}

/// Writes the head before a body of so many bytes, and returns where the question begins.
static const char *with_head(const char *path, size_t count, const unsigned char *random) {
    char mark[33];
    mark[0] = mark[32] = 0;
    if (random != NULL) write_digits(mark, random);
    const char *parts[] = {
        "POST ", path,
        " HTTP/1.1\r\nHost: 10.200.1.1:8444\r\nContent-Type: application/octet-stream\r\n"
        "Connection: close\r\n",
        random == NULL ? "" : "X-Aibox-Question: ", mark, random == NULL ? "" : "\r\n", "Content-Length: "};
    enum { count_of_parts = sizeof parts / sizeof *parts };
    char digits[20];
    size_t first = sizeof digits;
    do digits[--first] = (char)('0' + count % 10);
    while ((count /= 10) > 0);
    size_t whole = sizeof digits - first + 4;
    for (size_t index = 0; index < count_of_parts; index++) whole += length(parts[index]);
    char *begin = body() - whole, *at = begin;
    for (size_t index = 0; index < count_of_parts; at += length(parts[index++])) {
        memcpy(at, parts[index], length(parts[index]));
    }
    memcpy(at, digits + first, sizeof digits - first);
    memcpy(body() - 4, "\r\n\r\n", 4);
    return begin;
}

/// Writes the line of a datagram before a body, and returns where it begins.
static const char *with_mark(const unsigned char random[16]) {
    char *begin = body() - mark_length - 1;
    memcpy(begin, "aibox 1 ", 8);
    write_digits(begin + 8, random);
    begin[mark_length] = '\n';
    return begin;
}

/// An agent's call: what it says on the input, to the end. One that is longer is not allowed. Its bytes are returned.
static size_t read_call(void) {
    make_room(hook_limit + 1);
    size_t count = 0;
    for (;;) {
        long got = CALL(read, 0, body() + count, hook_limit + 1 - count);
        if (got == -EINTR) continue;
        if (got < 0) fail("what it is to do cannot be read");
        if (got == 0) return count;
        count += (size_t)got;
        if (count > hook_limit) fail("what it is to do is longer than 1048576 bytes");
    }
}

/// The strings of a question; their bytes are returned.
static size_t write_strings(char *const *words) {
    const char *none[2] = {0};
    none[0] = program;
    const char *const *given = words[0] == NULL ? (const char *const *)none : (const char *const *)words;
    const char *parts[] = {program, directory};
    size_t size = length(program) + length(directory) + 2;
    for (size_t index = 0; given[index] != NULL; index++) {
        size += length(given[index]) + 1;
        if (size > body_limit) fail("its command line is longer than 262144 bytes");
    }
    make_room(size);
    char *at = body();
    for (size_t index = 0; index < 2; at += length(parts[index++]) + 1) memcpy(at, parts[index], length(parts[index]) + 1);
    for (; *given != NULL; at += length(*given++) + 1) memcpy(at, *given, length(*given) + 1);
    return size;
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
        if (answer_end == sizeof answer || (answer_whole != 0 && answer_total >= answer_whole)) misunderstood();
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

/// Reads the lines of an answer to its end, and returns where the program lies. Does not return if it is refused.
static const char *decide(int socket, bool may_run, bool may_refuse, bool may_wait) {
    static char path[line_limit];
    bool is_refused = false, is_passed = false;
    const char *line;
    while ((line = next_line(socket, false)) != NULL) {
        // Nothing comes behind the end.
        if (is_refused || is_passed || path[0] != 0) misunderstood();
        const char *rest;
        if ((rest = after(line, "say ")) != NULL) {
            say(rest, "", "");
        } else if (may_wait && (rest = after(line, "wait ")) != NULL) {
            left = (struct timespec){.tv_sec = number(rest, longest_wait)};
        } else if (is_hook && may_run && (rest = after(line, "pass")) != NULL && *rest == 0) {
            is_passed = true;
        } else if (!is_hook && may_run && (rest = after(line, "run ")) != NULL && *rest == '/') {
            memcpy(path, rest, length(rest) + 1);
        } else if (may_refuse && (rest = after(line, "refuse")) != NULL && *rest == 0) {
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

/// Asks over a connection; with what marked the datagram before, where one may have been sent.
static const char *ask(const char *path, size_t count, const unsigned char *random) {
    int socket = dial();
    const char *begin = with_head(path, count, random);
    send_all(socket, begin, (size_t)(body() - begin) + count);
    const char *line = next_line(socket, true);
    if (line == NULL) misunderstood();
    bool is_allowed = after(line, "HTTP/1.1 200 ") != NULL;
    bool is_denied = after(line, "HTTP/1.1 403 ") != NULL;
    bool waits = after(line, "HTTP/1.1 202 ") != NULL;
    if (!is_allowed && !is_denied && !waits) misunderstood();
    size_t size = 0;
    do {
        line = next_line(socket, true);
        if (line == NULL) misunderstood();
        const char *rest = after(line, "Content-Length: ");
        if (rest != NULL && size != 0) misunderstood();
        if (rest != NULL) size = (size_t)number(rest, answer_limit);
    } while (*line != 0);
    if (size != 0) answer_whole = understood() + size;
    return decide(socket, is_allowed || waits, is_denied || waits, waits);
}

static bool is_same(const char *one, const char *other, size_t count) {
    for (size_t index = 0; index < count; index++) {
        if (one[index] != other[index]) return false;
    }
    return true;
}

/// What a datagram of so many bytes decides; NULL if it says to ask over a connection.
static const char *read_datagram(size_t count) {
    answer_end = answer_total = answer_whole = count;
    answer_start = mark_length;
    const char *line = next_line(-1, false);
    if (line == NULL || length(line) != 4) misunderstood();
    bool is_allowed = after(line, " 200") != NULL, is_denied = after(line, " 403") != NULL;
    if (is_allowed || is_denied) return decide(-1, is_allowed, is_denied, false);
    if (after(line, " 202") == NULL || understood() != answer_whole) misunderstood();
    answer_start = answer_end = answer_total = answer_whole = 0;
    return NULL;
}

/// Asks by a datagram; NULL if that decides nothing.
static const char *ask_at_once(const unsigned char random[16], size_t count) {
    const char *mark = with_mark(random);
    size_t size = (size_t)(body() - mark) + count;
    if (size > datagram_limit) return NULL;
    long socket = CALL(socket, AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    // Connected: nothing is received but from the gateway's port.
    if (socket < 0 || CALL(connect, socket, &gateway, sizeof gateway) != 0) return NULL;
    if (CALL(sendto, socket, mark, size, MSG_NOSIGNAL, NULL, 0) != (long)size) return NULL;
    struct timespec patience = {.tv_sec = datagram_patience};
    for (;;) {
        struct pollfd entry = {.fd = (int)socket, .events = POLLIN};
        long result = CALL(ppoll, &entry, 1, &patience, NULL, 0);
        if (result == -EINTR) continue;
        if (result <= 0) return NULL;
        long got = CALL(recvfrom, socket, answer, sizeof answer, 0, NULL, NULL);
        if (got == -EAGAIN || got == -EINTR) continue;
        if (got < 0) return NULL;
        // What came for somebody who had the socket's port before is passed over.
        if (got > mark_length && is_same(answer, mark, mark_length)) return read_datagram((size_t)got);
    }
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

/// Sixteen bytes at random that the kernel gives every process (getauxval(3), AT_RANDOM); NULL if there are none.
static const unsigned char *random_bytes(char *const *environment) {
    while (*environment != NULL) environment++;
    for (const size_t *entry = (const size_t *)(environment + 1); entry[0] != AT_NULL; entry += 2) {
        if (entry[0] == AT_RANDOM) return (const unsigned char *)entry[1];
    }
    return NULL;
}

_Noreturn void start(const size_t *stack) {
    char *const *words = (char *const *)(stack + 1);
    char *const *environment = words + stack[0] + 1;
    left.tv_sec = patience;
    question = short_question;
    question_room = sizeof short_question;
    if (!follow("/proc/self/exe", program)) fail("it cannot be told which program it is");
    follow("/proc/self/cwd", directory);
    for (const char *at = program; *at != 0; at++) {
        const char *rest = after(at, "/agent-hook");
        if (rest != NULL && *rest == 0) is_hook = true;
    }
    const char *path = NULL;
    if (is_hook) {
        path = ask("/v1/agent", read_call(), NULL);
    } else {
        size_t count = write_strings(words);
        const unsigned char *random = random_bytes(environment);
        if (random != NULL) path = ask_at_once(random, count);
        if (path == NULL) path = ask("/v1/tool", count, random);
    }
    // Its words and its environment as they came, byte by byte.
    CALL(execve, path, words, environment);
    fail("it was allowed, and cannot be executed");
}
