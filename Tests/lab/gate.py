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

# By datagram: what is decided there runs, everything that is not is asked over a connection, and nothing else is understood.
post = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
post.bind(("10.200.1.1", 8444))
REFUSED = [NO, b"say no, since\nrefuse\n"]


def posted(answers, words=("tool", "a"), late=REFUSED, run=GATE, **options):
    """The same as `ask`, when the answers to a datagram are these; MARK stands for its first line. Whoever asks over a connection
    is answered there. What was asked by datagram is the last part."""
    child = subprocess.Popen(list(words), executable=run, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)
    post.settimeout(5)
    door.settimeout(5)
    datagram, peer = post.recvfrom(65536)
    for answer in answers: post.sendto(answer.replace(b"MARK", datagram[:40]), peer)
    connected = False
    while child.poll() is None and not connected:
        door.settimeout(0.02)
        try: stream, _ = door.accept()
        except TimeoutError: continue
        connected = True
        # Over the connection the same is asked by the same mark.
        named = re.findall(rb"^X-Aibox-Question: (.*)\r$", question(stream)[0], re.M)
        check("the mark", named == [datagram[8:40]], (named, datagram))
        for part in late: stream.sendall(part)
        stream.close()
    out, said = child.communicate(timeout=40)
    door.settimeout(None)
    return child.returncode, out, said, connected, datagram


RUN = b"MARK 200\n" + ECHO
for what, answers in (("at once", [RUN]), ("with words", [b"MARK 200\nsay hm\n" + ECHO]), ("after somebody else's", [b"aibox 1 " + b"0" * 32 + b" 403\nrefuse\n", RUN]),
                      ("after nothing", [b"", b"MARK", RUN]), ("before a refusal of the same", [RUN, b"MARK 403\nrefuse\n"])):
    status, out, said, connected, datagram = posted(answers, ["tool", b"a\xff", "", "b c\n"], env={"A": "b"}, cwd="/usr")
    check("datagram " + what, (status, out, connected) == (0, b"a\xff  b c\n\n", False), (status, out, said))
    mark, body = datagram.split(b"\n", 1)
    check("datagram " + what, re.fullmatch(b"aibox 1 [0-9a-f]{32}", mark) and body == b"\0".join([os.path.realpath(GATE).encode(), b"/usr", b"tool", b"a\xff", b"", b"b c\n", b""]), datagram)
check("marks differ", len({posted([RUN])[4][:40] for _ in range(8)}) == 8, "")
status, out, said, connected, _ = posted([b"MARK 403\nsay no, since\nrefuse\n"], late=[OK, ECHO])
check("refused by datagram", (status, out, said, connected) == (126, b"", b"aibox: no, since\n", False), (status, out, said))
for what, answer in (
        ("to ask elsewhere", b"MARK 202\n"), ("somebody else's", b"aibox 1 " + b"0" * 32 + b" 200\n" + ECHO), ("another version's", b"aibox 2" + RUN[4:]), ("nothing", b"")):
    status, out, said, connected, _ = posted([answer])
    check("datagram " + what, (status, out, said, connected) == (126, b"", b"aibox: no, since\n", True), (status, out, said))
status, out, said, connected, _ = posted([b"MARK 202\n"], late=[OK, ECHO])
check("datagram, then a connection", (status, out, connected) == (0, b"a\n", True), (status, out, said))
NONSENSE = [
    b"MARK", b"MARK\n", b"MARK 200", b"MARK 200\n", b"MARK 200 \n" + ECHO, b"MARK 2000\n" + ECHO, b"MARK  200\n" + ECHO, b"MARK 201\n" + ECHO, b"MARK 202\n" + ECHO,
    b"MARK 200\r\n" + ECHO, b"MARK 200\n" + ECHO[:-1], b"MARK 200\n" + ECHO + ECHO, b"MARK 200\n" + ECHO + b"say a\n", b"MARK 200\nrefuse\n", b"MARK 403\n" + ECHO,
    b"MARK 403\nsay a\n", b"MARK 200\nwait 5\n" + ECHO, b"MARK 200\npass\n", b"MARK 200\nrun bin/echo\n", b"MARK 200\nrun /bin/echo\0\n", b"MARK 200\nexec /bin/echo\n",
    b"MARK 200\nsay \x1b]0;a\x07\n" + ECHO, b"MARK 200\nsay " + b"a" * 8000 + b"\n" + ECHO, b"MARK 200\n\n" + ECHO]
for answer in NONSENSE:
    status, out, said, connected, _ = posted([answer], late=[OK, ECHO])
    # A line of the mark alone is no answer at all.
    if answer == b"MARK": check("datagram " + repr(answer), (status, connected) == (0, True), (status, out, said))
    else: check("datagram " + repr(answer), (status, out, connected) == (126, b"", False) and b"is refused: " in said, (status, out, said, connected))
# Words of exactly the length that still fits, and one more.
fixed = 41 + len(os.path.realpath(GATE)) + len("/usr") + len("tool") + 4
for more, is_by_datagram in ((0, True), (1, False)):
    words = ["tool", "x" * (1200 - fixed + more)]
    if is_by_datagram:
        status, out, said, connected, datagram = posted([RUN], words, cwd="/usr")
        check("the longest datagram", (status, connected, len(datagram)) == (0, False, 1200), (status, len(datagram), said))
    else:
        check("longer than a datagram", ask([OK, ECHO], words, cwd="/usr")[0] == 0, words)
        post.settimeout(0.2)
        try: check("longer than a datagram", False, post.recvfrom(65536))
        except TimeoutError: pass
# Changed datagrams run what another reader reads in them, and nothing else.
for _ in range(int(sys.argv[2]) // 3):
    body = bytearray(random.choice((b" 200\n" + ECHO, b" 200\nsay a\n" + ECHO, b" 403\nsay a\nrefuse\n", b" 202\n")))
    for _ in range(random.choice((0, 1, 1, 2, 3))):
        at = random.randrange(len(body) + 1)
        kind = random.randrange(3)
        if kind == 0: body[at:at + 1] = bytes([random.randrange(256)])
        elif kind == 1: body[at:at] = random.choice(pieces)
        else: del body[at:at + random.randrange(1, 9)]
    body = bytes(body)
    if b"MARK" in body or not body: continue
    status, out, said, connected, _ = posted([b"MARK" + body])
    meant = understood(b"HTTP/1.1" + body[:4] + b" \r\n\r\n" + body[5:]) if re.match(b" (200|403)\n", body) else None
    is_run = bool(meant) and os.access(meant, os.X_OK) and os.path.isfile(meant)
    check("datagrams changed", (status == 0) == is_run and connected == (body == b" 202\n") and status in (0, 126), (body, meant, status, said))
# Lost: after two seconds it asks over a connection. An agent's hook never asks by datagram.
began = time.time()
check("a lost datagram", posted([], late=[OK, ECHO])[:2] == (0, b"a\n") and 1.5 < time.time() - began < 8, time.time() - began)
status, _, _, asked = hooked([OK, b"pass\n"])
check("a hook", status == 0 and b"X-Aibox-Question" not in asked[0], asked)
post.settimeout(0.2)
try: check("a hook", False, post.recvfrom(65536))
except TimeoutError: pass
post.close()

door.close()
child = subprocess.run(["tool"], executable=GATE, stderr=subprocess.PIPE)
check("nobody answers", child.returncode == 126 and b"cannot reach the gateway" in child.stderr, child)
print("done", bad, "wrong;", "ran", runs[True], "refused", runs[False])
