"""gate.py GATE: a gate in a network of its own, before a gateway that answers anything. Prints what went wrong."""
import os, random, re, socket, subprocess, sys, threading, time

GATE = sys.argv[1]
for words in (["ip", "link", "set", "lo", "up"], ["ip", "addr", "add", "10.200.1.1/32", "dev", "lo"]):
    subprocess.run(words, check=True)
door = socket.socket()
door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
door.bind(("10.200.1.1", 8444))
door.listen(64)


def question(peer):
    data = b""
    while b"\r\n\r\n" not in data: data += peer.recv(65536)
    head, body = data.split(b"\r\n\r\n", 1)
    size = int(re.search(rb"Content-Length: (\d+)$", head, re.M).group(1))
    while len(body) < size: body += peer.recv(65536)
    return head, body


def ask(answer, words=("tool", "a"), run=GATE, **options):
    """What the gate says and how it ends, and what it asked, when the gateway's answer is these parts."""
    child = subprocess.Popen(list(words), executable=run, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)
    peer, _ = door.accept()
    asked = question(peer)
    try:
        for part in answer:
            if isinstance(part, (int, float)): time.sleep(part)
            else: peer.sendall(part)
    except OSError: pass
    if answer != HELD: peer.close()
    out, said = child.communicate(timeout=40)
    return child.returncode, out, said, asked


OK, NO, LATER = (b"HTTP/1.1 %s\r\nA: b\r\n\r\n" % status for status in (b"200 OK", b"403 Forbidden", b"202 Accepted"))
WHOLE = b"HTTP/1.1 200 OK\r\nContent-Length: 14\r\n\r\n"
HELD = [LATER, b"wait 1\n"]
ECHO = b"run /bin/echo\n"
bad = 0


def check(what, is_right, seen):
    global bad
    if not is_right:
        bad += 1
        print("WRONG", what, seen)


def understood(answer):
    """What the answer says, read in another way than the gate reads it: a path, False, or None for nonsense."""
    if len(answer) > 65536: return None
    head, found, body = answer.partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    if not found or any(len(line) > 4094 or re.search(rb"[\0-\x1f\x7f]", line) for line in lines): return None
    status = re.match(rb"HTTP/1\.1 (200|202|403) ", head)
    lengths = [line[16:] for line in lines[1:] if line.startswith(b"Content-Length: ")]
    if lengths:
        if len(lengths) > 1 or not re.fullmatch(b"[0-9]+", lengths[0]) or not 0 < int(lengths[0]) <= min(len(body), 65536): return None
        body = body[:int(lengths[0])]
    if not status or body[-1:] != b"\n": return None
    *before, last = body[:-1].split(b"\n")
    if any(len(line) > 4095 or re.search(rb"[\0-\x1f\x7f]", line) for line in before + [last]): return None
    waits = status.group(1) == b"202"
    for line in before:
        wait = waits and re.fullmatch(rb"wait 0*([0-9]{1,5})", line)
        if not line.startswith(b"say ") and not (wait and 0 < int(wait.group(1)) <= 86400): return None
    if last == b"refuse": return False if waits or status.group(1) == b"403" else None
    return last[4:] if last.startswith(b"run /") and status.group(1) != b"403" else None


TABLE = [
    ("nothing", []),
    ("a status alone", [b"HTTP/1.1 200 OK\r\n"]),
    ("a head alone", [OK]),
    ("no end", [OK, b"say a\n"]),
    ("no newline behind the end", [OK, b"run /bin/echo"]),
    ("something behind the end", [OK, ECHO, b"say a\n"]),
    ("two ends", [OK, ECHO, ECHO]),
    ("a refusal and then a permission", [LATER, b"refuse\n", ECHO]),
    ("a permission and then a refusal", [LATER, ECHO, b"refuse\n"]),
    ("permitted by a refusal", [NO, ECHO]),
    ("refused by a permission", [OK, b"refuse\n"]),
    ("a wait where nobody waits", [OK, b"wait 5\n", ECHO]),
    ("a wait of nothing", [LATER, b"wait \n", ECHO]),
    ("a wait of no time", [LATER, b"wait 0\n", ECHO]),
    ("a wait that is no number", [LATER, b"wait 5s\n", ECHO]),
    ("a wait before now", [LATER, b"wait -5\n", ECHO]),
    ("a wait of more than a day", [LATER, b"wait 86401\n", ECHO]),
    ("a wait past all numbers", [LATER, b"wait " + b"9" * 400 + b"\n", ECHO]),
    ("a relative path", [OK, b"run bin/echo\n"]),
    ("no path", [OK, b"run \n"]),
    ("a NUL in a path", [OK, b"run /bin/echo\0\n"]),
    ("a CR in a path", [OK, b"run /bin/echo\r\n"]),
    ("an escape in words", [NO, b"say \x1b]0;a\x07\n", b"refuse\n"]),
    ("an unknown line", [OK, b"exec /bin/echo\n"]),
    ("an empty line", [OK, b"\n", ECHO]),
    ("JSON", [OK, b'{"run": "/bin/echo"}\n']),
    ("another status", [b"HTTP/1.1 204 No Content\r\n\r\n", ECHO]),
    ("a status of four digits", [b"HTTP/1.1 2000 OK\r\n\r\n", ECHO]),
    ("HTTP/1.0", [b"HTTP/1.0 200 OK\r\n\r\n", ECHO]),
    ("bare newlines in the head", [b"HTTP/1.1 200 OK\n\n", ECHO]),
    ("a line of 4,096 bytes", [OK, b"say " + b"a" * 4092 + b"\n", ECHO]),
    ("a path of 4,096 bytes", [OK, b"run /" + b"a" * 4091 + b"\n"]),
    ("a head without end", [b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 20000]),
    ("words without end", [NO] + [b"say " + b"a" * 4000 + b"\n"] * 20),
    ("a line without end", [OK, b"say " + b"a" * 70000]),
    ("a program that is not there", [OK, b"run /bin/there-is-none\n"]),
    ("a folder", [OK, b"run /bin\n"]),
    ("a wait that passes", HELD),
    ("less than its length", [WHOLE, b"run /bin/echo"]),
    ("a length in the middle of a line", [WHOLE, b"run /bin/echo2\n"]),
    ("a length of nothing", [WHOLE.replace(b"14", b"0"), ECHO]),
    ("a length before now", [WHOLE.replace(b"14", b"-14"), ECHO]),
    ("a length past all numbers", [WHOLE.replace(b"14", b"9" * 400), ECHO]),
    ("two lengths", [WHOLE.replace(b"14", b"14\r\nContent-Length: 14"), ECHO]),
]
for what, answer in TABLE:
    status, out, said, _ = ask(answer)
    check(what, status == 126 and out == b"" and b"is refused: " in said and not re.search(rb"[\0-\x09\x0b-\x1f\x7f]", said), (status, out, said[:200]))

# What is permitted becomes the program: its words, environment and directory as they came, byte by byte.
for what, parts in (("at once", [OK, ECHO]), ("with its length", [WHOLE, ECHO]), ("up to its length", [WHOLE, ECHO + b"refuse\n"]), ("byte by byte", [bytes([byte]) for byte in OK + b"say hm\n" + ECHO]), ("after a wait", [LATER, b"say hm\nwait 30\n", 0.3, ECHO]),
                    ("with the longest line", [OK, b"say " + b"a" * 4091 + b"\n", ECHO])):
    status, out, said, asked = ask(parts, ["tool", b"a\xff", "", "b c\n"], env={"A": "b"}, cwd="/usr")
    check(what, (status, out) == (0, b"a\xff  b c\n\n"), (status, out, said))
    check(what, asked[1] == b"\0".join([os.path.realpath(GATE).encode(), b"/usr", b"tool", b"a\xff", b"", b"b c\n", b""]), asked)
    check(what, asked[0].startswith(b"POST /v1/tool HTTP/1.1\r\nHost: 10.200.1.1:8444\r\n"), asked)
status, out, said, _ = ask([NO, b"say no, since\nrefuse\n"])
check("refused", (status, out, said) == (126, b"", b"aibox: no, since\n"), (status, out, said))
status, out, said, _ = ask([OK, b"run /usr/bin/env\n"], ["env"], env={"A": "b", "C": "d"})
check("the environment", out == b"A=b\nC=d\n", out)
status, out, said, asked = ask([OK, b"run /bin/echo\n"], ["tool"] + ["x" * 100_000, "y" * 100_000])
check("a long command line", status == 0 and len(out) == 200_002, (status, len(out)))
child = subprocess.run(["tool"] + ["x" * 100_000] * 3, executable=GATE, stderr=subprocess.PIPE)
check("a longer one", child.returncode == 126 and b"longer than 262144 bytes" in child.stderr, child)
closed = ask([OK, ECHO], preexec_fn=lambda: [os.close(number) for number in (0, 2)])
check("without input and errors", closed[:2] == (0, b"a\n"), closed)

# Answers with a few bytes changed are read as another reader reads them.
random.seed(int(sys.argv[3]))
seeds = [OK + ECHO, WHOLE + ECHO, WHOLE + ECHO, NO + b"say a\nrefuse\n", LATER + b"say a\nwait 9\n" + ECHO, LATER + b"wait 9\nrefuse\n"]
pieces = [b"\n", b"\r\n", b"\r\n\r\n", b"say ", b"wait 1\n", b"run /bin/echo\n", b"refuse\n", b"\0", b" ", b"2", b"/", b"HTTP/1.1 200 ", b"Content-Length: 1"]
runs = {False: 0, True: 0}
for _ in range(int(sys.argv[2])):
    answer = bytearray(random.choice(seeds))
    for _ in range(random.choice((0, 1, 1, 2, 3))):
        at = random.randrange(len(answer) + 1)
        kind = random.randrange(4)
        if kind == 0: answer[at:at + 1] = bytes([random.randrange(256)])
        elif kind == 1: answer[at:at] = random.choice(pieces)
        elif kind == 2: del answer[at:at + random.randrange(1, 9)]
        else: answer[at:at + 1] = random.choice(pieces)
    answer = bytes(answer)
    cut = random.randrange(len(answer) + 1)
    status, out, said, _ = ask([answer[:cut], answer[cut:]])
    meant = understood(answer)
    runs[status == 0] += 1
    check("fuzz", (status == 0) == (meant == b"/bin/echo" or (bool(meant) and os.access(meant, os.X_OK) and os.path.isfile(meant))) and status in (0, 126), (answer, meant, status, said))

# As an agent's hook: what stands on its input is the question, and a permission is a status, never a program.
hook = os.path.join(sys.argv[4], "agent-hook")
subprocess.run(["cp", GATE, hook], check=True)


def hooked(answer, text=b'{"tool_name": "x"}'):
    with open(os.path.join(sys.argv[4], "input"), "wb+") as file:
        file.write(text)
        file.seek(0)
        return ask(answer, ["hook"], hook, stdin=file)


for what, answer, expected in (
        ("passed", [OK, b"pass\n"], 0), ("refused", [NO, b"say no\nrefuse\n"], 2), ("passed later", [LATER, b"wait 9\n", b"pass\n"], 0), ("nothing", [], 2),
        ("a program", [OK, ECHO], 2), ("both", [LATER, b"pass\nrefuse\n"], 2), ("passed by a refusal", [NO, b"pass\n"], 2), ("more than pass", [OK, b"pass on\n"], 2)):
    status, out, said, asked = hooked(answer)
    check("hook: " + what, (status, out) == (expected, b"") and asked[1] == b'{"tool_name": "x"}' and asked[0].startswith(b"POST /v1/agent "), (status, out, said, asked))
check("a program is no hook", ask([OK, b"pass\n"])[0] == 126, "pass")
check("a long tool call", hooked([OK, b"pass\n"], b"x" * 1048576)[0] == 0, "1 MiB")
with open("/dev/zero", "rb") as zero:
    child = subprocess.run(["hook"], executable=hook, stdin=zero, stderr=subprocess.PIPE)
check("an endless one", child.returncode == 2 and b"longer than 1048576 bytes" in child.stderr, child)

door.close()
child = subprocess.run(["tool"], executable=GATE, stderr=subprocess.PIPE)
check("nobody answers", child.returncode == 126 and b"cannot reach the gateway" in child.stderr, child)
print("done", bad, "wrong;", "ran", runs[True], "refused", runs[False])
