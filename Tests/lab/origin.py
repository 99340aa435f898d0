"""Origins of the lab: HTTP, HTTPS and UDP echo on the addresses given.

Usage: origin.py CONFIG.json   (prints "ready", serves until standard input ends)

CONFIG: {"addresses": [...], "http": [80], "https": [443], "udp": [443], "tls": {"name": "cert+key.pem"},
         "log": "requests.jsonl"}

GET /            "origin NAME" and the peer's address
GET /headers     the request as a JSON object
GET /big/N       N bytes
GET /slow/N      N bytes, one a second (at most 60)
GET /redirect?to=URL   302
GET /files/...   a file of the folder "files", where CONFIG names one
POST, PUT        the number of bytes received, as JSON; to /drip/N at N KiB a millisecond
Every request is a line of the log: host, method, path, SNI, body bytes, and raw connections likewise.
"""

import http.server
import json
import os
import socket
import ssl
import sys
import threading
import time
import urllib.parse

CONFIG = json.load(open(sys.argv[1]))
LOG = open(CONFIG["log"], "a", buffering=1)
LOCK = threading.Lock()
LIMIT = 1 << 30


def note(**fields):
    with LOCK:
        LOG.write(json.dumps(fields) + "\n")


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 60
    # Head and body are two writes: without this the second waits for the first one's acknowledgement.
    disable_nagle_algorithm = True

    def reply(self, status, body, kind="text/plain", extra=()):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        for name, value in extra:
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def note(self, size=0):
        note(
            kind="https" if isinstance(self.connection, ssl.SSLSocket) else "http",
            host=self.headers.get("Host"),
            method=self.command,
            path=self.path,
            sni=getattr(self.connection, "lab_sni", None),
            address=self.connection.getsockname()[0],
            bytes=size,
        )

    def file(self, parts):
        path = os.path.join(CONFIG["files"], *[urllib.parse.unquote(part) for part in parts])
        if os.path.isdir(path):
            path += "/index.html"
        if os.path.commonpath([os.path.realpath(path), os.path.realpath(CONFIG["files"])]) != os.path.realpath(
            CONFIG["files"]
        ) or not os.path.isfile(path):
            return self.reply(404, b"no such file\n")
        with open(path, "rb") as file:
            content = file.read()
        kind = "text/html" if path.endswith(".html") else "application/octet-stream"
        self.reply(200, content, "application/atom+xml" if content.startswith(b"<?xml") else kind)

    def do_GET(self):
        self.note()
        url = urllib.parse.urlsplit(self.path)
        parts = url.path.strip("/").split("/")
        if parts[0] == "headers":
            body = {"method": self.command, "path": self.path, "headers": self.headers.items()}
            self.reply(200, json.dumps(body).encode(), "application/json")
        elif parts[0] == "big" and len(parts) == 2:
            left = min(int(parts[1]), LIMIT)
            self.send_response(200)
            self.send_header("Content-Length", str(left))
            self.end_headers()
            block = b"x" * 65536
            while left > 0 and self.command != "HEAD":
                self.wfile.write(block[: min(left, len(block))])
                left -= len(block)
        elif parts[0] == "slow" and len(parts) == 2:
            count = min(int(parts[1]), 60)
            self.send_response(200)
            self.send_header("Content-Length", str(count))
            self.end_headers()
            for _ in range(count):
                self.wfile.write(b".")
                self.wfile.flush()
                time.sleep(1)
        elif parts[0] == "files" and "files" in CONFIG:
            self.file(parts[1:])
        elif parts[0] == "redirect":
            target = urllib.parse.parse_qs(url.query).get("to", ["/"])[0]
            self.reply(302, b"", extra=[("Location", target)])
        else:
            text = "origin %s from %s\n" % (self.headers.get("Host"), self.client_address[0])
            self.reply(200, text.encode())

    do_HEAD = do_DELETE = do_OPTIONS = do_GET

    def do_POST(self):
        size = 0
        pace = int(self.path.split("/")[2]) if self.path.startswith("/drip/") else 0
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            while True:
                length = int(self.rfile.readline().split(b";")[0], 16)
                if length == 0:
                    self.rfile.readline()
                    break
                size += len(self.rfile.read(length))
                self.rfile.readline()
        else:
            left = int(self.headers.get("Content-Length", 0))
            while left > 0:
                block = self.rfile.read(min(left, 65536))
                if not block:
                    break
                size += len(block)
                left -= len(block)
                if pace:
                    time.sleep(len(block) / 1024 / pace / 1000)
        self.note(size)
        self.reply(200, json.dumps({"bytes": size}).encode(), "application/json")

    do_PUT = do_PATCH = do_POST

    def log_message(self, *arguments):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 2048

    def handle_error(self, *arguments):
        pass


class Server6(Server):
    address_family = socket.AF_INET6


def tls_context():
    contexts = {}
    for name, path in CONFIG["tls"].items():
        contexts[name] = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        contexts[name].load_cert_chain(path)
        contexts[name].set_alpn_protocols(["http/1.1"])
    base = next(iter(contexts.values()))

    def chosen(connection, name, context):
        connection.lab_sni = name
        note(kind="hello", sni=name, address=connection.getsockname()[0])
        if name in contexts:
            connection.context = contexts[name]

    base.sni_callback = chosen
    return base


def start(function):
    threading.Thread(target=function, daemon=True).start()


def echo(listener, name):
    while True:
        data, peer = listener.recvfrom(2048)
        note(kind="udp", address=name, bytes=len(data))
        listener.sendto(b"echo " + data, peer)


def main():
    context = tls_context()
    for address in CONFIG["addresses"]:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        kind = Server6 if ":" in address else Server
        for port in CONFIG.get("http", []):
            start(kind((address, port), Handler).serve_forever)
        for port in CONFIG.get("https", []):
            server = kind((address, port), Handler)
            server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
            start(server.serve_forever)
        for port in CONFIG.get("udp", []):
            listener = socket.socket(family, socket.SOCK_DGRAM)
            listener.bind((address, port))
            start(lambda listener=listener, address=address: echo(listener, address))
    print("ready", flush=True)
    sys.stdin.read()


main()
