"""A server on a Unix socket in the Workload API's place that speaks HTTP/2 as it should not: raw bytes, no library.

Usage: hostile_workload_api.py SOCKET WAY   (prints "ready", serves until standard input ends)

Each connection is read until the client's request is there, then answered in one of the ways below, over and over where it is a flood,
until the client hangs up. On standard error nothing; how much was sent is not told: the client's side is what is tested.
"""

import os
import socket
import sys
import threading
import time

SOCKET, WAY = sys.argv[1:]


def frame(kind, flags=0, stream=0, payload=b""):
    return len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload


def block(*fields):
    def text(value):
        value = value.encode()
        return bytes([len(value)]) + value
    return b"".join(b"\0" + text(name) + text(value) for name, value in fields)


def number(value):
    return value.to_bytes(4, "big")


SETTINGS = frame(4) + frame(4, 1)
GOOD = (":status", "200"), ("content-type", "application/grpc")
HEAD = frame(1, 4, 1, block(*GOOD))
MESSAGE = frame(0, 0, 1, b"\0" + number(2) + b"\x0a\0")
END = frame(1, 5, 1, block(("grpc-status", "0")))


def end(*fields):
    return frame(1, 5, 1, block(*fields))


# What is sent once, and what is sent after it without end.
WAYS = {
    "reset": (HEAD + frame(3, 0, 1, number(2)), b""),
    "refused": (frame(3, 0, 1, number(7)), b""),
    "goaway": (frame(7, 0, 0, number(0) + number(0)), b""),
    "goaway-error": (frame(7, 0, 0, number(0) + number(11) + b"too_many_pings"), b""),
    "hang-up": (None, b""),
    "http1": (b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n", b""),
    "http-status": (end((":status", "503"), ("content-type", "text/html")), b""),
    "html": (frame(1, 4, 1, block((":status", "200"), ("content-type", "text/html"))) + frame(0, 1, 1, b"<html>"), b""),
    "no-status": (HEAD + frame(0, 1, 1, b"\0" + number(0)), b""),
    "empty": (HEAD + END, b""),
    "odd-status": (end(*GOOD, ("grpc-status", "99"), ("grpc-message", "%zz%1b[31m")), b""),
    "compressed": (HEAD + frame(0, 0, 1, b"\1" + number(2) + b"xx") + END, b""),
    "encoding": (frame(1, 4, 1, block(*GOOD, ("grpc-encoding", "gzip"))) + MESSAGE + END, b""),
    "huge-length": (HEAD + frame(0, 0, 1, b"\0\xff\xff\xff\xff"), b""),
    "cut": (HEAD + frame(0, 0, 1, b"\0" + number(100) + b"xx") + END, b""),
    "huge-message": (HEAD + frame(0, 0, 1, b"\0" + number(4 << 20)), frame(0, 0, 1, bytes(16384))),
    "ping-flood": (HEAD, frame(6, 0, 0, bytes(8)) * 100),
    "settings-flood": (HEAD, frame(4, 0, 0, b"\0\4\0\0\0\1") * 100),
    "empty-data-flood": (HEAD, frame(0, 0, 1) * 100),
    "unknown-flood": (HEAD, frame(0xEE, 0, 0, bytes(100)) * 100),
    "continuation-flood": (frame(1, 0, 1, block(*GOOD)), frame(9, 0, 1) * 100),
    "header-flood": (frame(1, 0, 1, block(*GOOD)), frame(9, 0, 1, block(("x", "a" * 100)) * 100)),
    "window-abuse": (HEAD, frame(0, 0, 1, b"\0" + number(0x3FFFFF) + bytes(16000)) + frame(0, 0, 1, bytes(16384)) * 64),
    "push": (frame(5, 4, 1, number(2) + block((":method", "GET"), (":path", "/"), (":scheme", "http"), (":authority", "x"))), b""),
    "large-frame": (HEAD + frame(0, 0, 1, bytes(100000)), b""),
    "message-flood": (HEAD, MESSAGE * 100),
    "drip": (HEAD, None),
}


def serve(connection):
    seen = b""
    try:
        while b"SM\r\n\r\n" not in seen or len(seen) < 150:
            part = connection.recv(65536)
            if not part:
                return
            seen += part
        once, then = WAYS[WAY]
        if once is None:
            return
        connection.sendall(once if WAY == "http1" else SETTINGS + once)
        while then:
            connection.sendall(then)
        if then is None:
            while True:
                connection.sendall(frame(6, 0, 0, bytes(8)))
                time.sleep(0.2)
        if WAY == "http1":
            return
        while connection.recv(65536):
            pass
    except OSError:
        pass
    finally:
        connection.close()


server = socket.socket(socket.AF_UNIX)
server.bind(SOCKET)
server.listen(16)


def accept():
    while True:
        threading.Thread(target=serve, args=(server.accept()[0],), daemon=True).start()


threading.Thread(target=accept, daemon=True).start()
print("ready", flush=True)
sys.stdin.read()
os._exit(0)
