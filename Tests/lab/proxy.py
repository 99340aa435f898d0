"""A company's proxy: everything that leaves goes through it, and it wants to know who asks.

Usage: proxy.py ADDRESS PORT LOGIN SOURCE TARGET LOG   (prints "ready", serves until standard input ends)

LOGIN is user:password. Every name leads to TARGET, on the port that was asked for, from SOURCE, so that what comes through can
be told apart. Each request is a line of LOG: method, target, and whether the login was right; without it the answer is 407.
"""

import base64
import json
import socket
import sys
import threading
import urllib.parse

ADDRESS, PORT, LOGIN, SOURCE, TARGET, LOG = sys.argv[1:]
WANTED = "Basic " + base64.b64encode(LOGIN.encode()).decode()
BOOK = open(LOG, "a", buffering=1)


def head(link):
    data = b""
    while b"\r\n\r\n" not in data and len(data) < 65536:
        block = link.recv(4096)
        if not block:
            return b"", b""
        data += block
    start, _, rest = data.partition(b"\r\n\r\n")
    return start, rest


def copy(source, target):
    try:
        while block := source.recv(65536):
            target.sendall(block)
    except OSError:
        pass
    try:
        target.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def serve(client):
    with client:
        start, rest = head(client)
        lines = start.decode("latin-1").split("\r\n")
        words = lines[0].split()
        if len(words) != 3:
            return
        fields = [line.partition(":")[::2] for line in lines[1:]]
        login = [value.strip() for name, value in fields if name.lower() == "proxy-authorization"]
        BOOK.write(json.dumps({"method": words[0], "target": words[1], "known": login == [WANTED]}) + "\n")
        if login != [WANTED]:
            client.sendall(b"HTTP/1.1 407 Who\r\nProxy-Authenticate: Basic realm=\"lab\"\r\nContent-Length: 0\r\n\r\n")
            return
        if words[0] == "CONNECT":
            port = int(words[1].rpartition(":")[2])
            first = rest
        else:
            url = urllib.parse.urlsplit(words[1])
            port = url.port or 80
            path = (url.path or "/") + ("?" + url.query if url.query else "")
            kept = ["%s:%s" % field for field in fields if field[0].lower() not in ("proxy-authorization", "connection")]
            asked = ["%s %s HTTP/1.1" % (words[0], path)] + kept + ["Connection: close"]
            first = "\r\n".join(asked).encode("latin-1") + b"\r\n\r\n" + rest
        with socket.create_connection((TARGET, port), 10, (SOURCE, 0)) as origin:
            if words[0] == "CONNECT":
                client.sendall(b"HTTP/1.1 200 Yes\r\n\r\n")
            origin.sendall(first)
            back = threading.Thread(target=copy, args=(origin, client), daemon=True)
            back.start()
            copy(client, origin)
            back.join()


def main():
    listener = socket.create_server((ADDRESS, int(PORT)), backlog=64)
    print("ready", flush=True)

    def accept():
        while True:
            client, _ = listener.accept()
            threading.Thread(target=serve, args=(client,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    sys.stdin.read()


main()
