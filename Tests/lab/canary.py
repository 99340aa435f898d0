"""Looks for secrets wherever a program may have left them, in every spelling that it may have given them.

Usage: canary.py [--watch] [--processes all | --of WORD... [--not NAME]...] [--root FOLDER]...
Standard input: a line `NAME HEX` for each secret, then an empty one; HEX is its bytes, each with XOR 0x55, so that the secrets
are on no command line, in no environment, in no file and in no buffer of whoever passes them on. Prints one JSON document: `found`
has a row for each finding (secret, form, place), `searched` how many files, and of processes how many environments, command lines
and memories were read; `bytes` all of it.

`--root` takes all that can be read below it, over all mounts but those of the kernel's own file systems. `--of` takes the processes
that have the word on their command line, and all below them. `--watch` looks at all processes' command lines and environments again
and again until standard input ends, every 20 ms or as fast as it goes.
"""
import argparse
import array
import base64
import json
import os
import re
import select
import stat
import sys
import urllib.parse

KERNELS = {"proc", "sysfs", "cgroup", "cgroup2", "devpts", "mqueue", "securityfs", "debugfs", "tracefs", "bpf", "devtmpfs"}
PIECE = 8 << 20
PAGE = 4096


def spellings(secret):
    yield "plain", secret
    yield "utf-16", secret.decode().encode("utf-16-le")
    yield "hexadecimal", secret.hex().encode()
    yield "hexadecimal", secret.hex().upper().encode()
    for before in range(3):
        # What stands before and after changes the first and the last digits: they are left out.
        text = base64.b64encode(b"\0" * before + secret)
        text = text[(before * 8 + 5) // 6:(before + len(secret)) * 8 // 6]
        yield f"base64 at {before}", text
        yield f"base64url at {before}", text.replace(b"+", b"-").replace(b"/", b"_")
    for kept in ("", "-._~/+=:"):
        text = "".join(char if char in kept or (kept and char.isalnum()) else f"%{ord(char):02X}" for char in secret.decode())
        yield "percent-encoded", text.encode()
        yield "percent-encoded", text.lower().encode()
    yield "percent-encoded", urllib.parse.quote(secret, safe="").encode()
    yield "JSON", json.dumps(secret.decode())[1:-1].replace("/", "\\/").encode()


def needles():
    forms = {}
    for line in iter(sys.stdin.buffer.readline, b""):
        if not line.strip():
            break
        name, code = line.split()
        secret = bytes(byte ^ 0x55 for byte in bytes.fromhex(code.decode()))
        for form, text in spellings(secret):
            forms.setdefault(text, (name.decode(), form))
    return forms


class Search:
    def __init__(self, forms):
        self.forms = forms
        self.longest = max(map(len, forms))
        self.found = {}
        self.seen = {}
        self.searched = {"files": 0, "environ": 0, "cmdline": 0, "mem": 0, "bytes": 0}

    def look(self, data, place):
        self.searched["bytes"] += len(data)
        for text, (name, form) in self.forms.items():
            if data.find(text) >= 0:
                self.found[(name, form, place)] = True

    def pieces(self, read, place):
        """A stream of any length, so that a secret on the border of two pieces is seen."""
        tail = b""
        while piece := read(PIECE):
            self.look(tail + piece, place)
            tail = piece[-(self.longest - 1):]

    def file(self, path):
        try:
            if not stat.S_ISREG(os.lstat(path).st_mode):
                return
            self.look(os.fsencode(path), path)
            with open(path, "rb", buffering=0) as file:
                self.pieces(file.read, path)
            self.searched["files"] += 1
        except OSError:
            pass

    def tree(self, root):
        with open("/proc/self/mounts") as mounts:
            rows = [line.split() for line in mounts]
        kernels = {row[1].encode().decode("unicode_escape") for row in rows if row[2] in KERNELS}
        for folder, below, files in os.walk(root):
            below[:] = [name for name in below if os.path.join(folder, name) not in kernels]
            for name in files:
                self.file(os.path.join(folder, name))
            for name in files + below:
                path = os.path.join(folder, name)
                if os.path.islink(path):
                    self.look(os.fsencode(os.readlink(path)), path)

    def words(self, pid):
        for kind in ("cmdline", "environ"):
            try:
                with open(f"/proc/{pid}/{kind}", "rb") as file:
                    data = file.read()
            except OSError:
                continue
            if data and self.seen.get((kind, pid)) != data:
                self.seen[(kind, pid)] = data
                self.searched[kind] += 1
                self.look(data, f"{kind} of {command(pid)}")

    def memory(self, pid):
        """Pages that were never touched are left so, where the kernel tells: reservations of terabytes are usual."""
        any_read, place = False, f"mem of {command(pid)}"
        try:
            with open(f"/proc/{pid}/maps") as file:
                areas = [re.match(r"([0-9a-f]+)-([0-9a-f]+) r", line) for line in file
                         if "[vvar" not in line and "[vsyscall" not in line]
            mem = open(f"/proc/{pid}/mem", "rb", buffering=0)
        except OSError:
            return
        try:
            pagemap = open(f"/proc/{pid}/pagemap", "rb", buffering=0)
        except OSError:
            pagemap = None
        for area in filter(None, areas):
            start, end = (int(word, 16) for word in area.groups())
            if end - start <= 1 << 36:
                for first, last in touched(pagemap, start, end) if pagemap else [(start, end)]:
                    any_read |= self.stretch(mem, first, last, place)
        self.searched["mem"] += any_read

    def stretch(self, mem, at, end, place):
        tail, any_read = b"", False
        while at < end:
            try:
                mem.seek(at)
                piece = mem.read(min(PIECE, end - at))
            except (OSError, ValueError, OverflowError):
                piece = b""
            if not piece:
                at, tail = at + PAGE, b""
                continue
            any_read = True
            self.look(tail + piece, place)
            tail = piece[-(self.longest - 1):]
            at += len(piece)
        return any_read

    def report(self):
        rows = [{"secret": name, "form": form, "place": place} for name, form, place in self.found]
        print(json.dumps({"found": rows, "searched": self.searched}), flush=True)


def touched(pagemap, start, end):
    """Stretches of pages that are in memory or swapped out: bits 63 and 62 of proc(5)'s pagemap."""
    first = None
    for at in range(start, end, PIECE):
        pages = min(PIECE, end - at) // PAGE
        try:
            pagemap.seek(at // PAGE * 8)
            entries = array.array("Q", pagemap.read(pages * 8))
        except OSError:
            entries = array.array("Q", [0])
        for page, entry in enumerate(entries if any(entries) else [0]):
            if entry >> 62 and first is None:
                first = at + page * PAGE
            elif not entry >> 62 and first is not None:
                yield first, at + page * PAGE
                first = None
    if first is not None:
        yield first, end


def command(pid):
    try:
        with open(f"/proc/{pid}/comm") as file:
            return f"{file.read().strip()} {pid}"
    except OSError:
        return str(pid)


def processes():
    return [int(name) for name in os.listdir("/proc") if name.isdigit() and int(name) != os.getpid()]


def of(word):
    """The processes that name it, and all that they started and that is theirs still."""
    parents, chosen = {}, set()
    for pid in processes():
        try:
            with open(f"/proc/{pid}/stat") as file:
                parents[pid] = int(file.read().rpartition(")")[2].split()[1])
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                if word.encode() in file.read():
                    chosen.add(pid)
        except OSError:
            pass
    while more := {pid for pid, parent in parents.items() if parent in chosen} - chosen:
        chosen |= more
    return sorted(chosen)


parser = argparse.ArgumentParser()
parser.add_argument("--watch", action="store_true")
parser.add_argument("--processes", choices=["all"])
parser.add_argument("--of", action="append", default=[])
parser.add_argument("--not", dest="without", action="append", default=[])
parser.add_argument("--root", action="append", default=[])
options = parser.parse_args()
search = Search(needles())
if options.watch:
    print("watching", flush=True)
    while not select.select([sys.stdin], [], [], 0.02)[0]:
        for pid in processes():
            search.words(pid)
chosen = sorted({pid for word in options.of for pid in of(word)}) if options.of else processes() if options.processes else []
for pid in chosen:
    if command(pid).rpartition(" ")[0] not in options.without:
        search.words(pid)
        search.memory(pid)
for root in options.root:
    search.tree(root)
search.report()
