"""A git server over smart HTTP on loopback, for one user and password: git http-backend behind TLS, and once more without.

Usage: git_server.py CERT+KEY.pem FOLDER   (writes FOLDER/ports, prints "ready", serves until standard input ends)

FOLDER holds the repositories, `password` with "user:password", and gets `requests.jsonl`: scheme, path, who asked, and in which protocol.
Besides: /moved/... is at /..., /away/... at another host, /page/... is a page, and /echo/... says the password again.
"""

import base64
import http.server
import json
import os
import ssl
import subprocess
import sys
import threading

CERTIFICATE, FOLDER = sys.argv[1:]
PASSWORD = open(os.path.join(FOLDER, "password")).read()
LOG = open(os.path.join(FOLDER, "requests.jsonl"), "a", buffering=1)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    scheme = "http"

    def log_message(self, *_):
        pass

    def answer(self, status, headers, body):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def body(self):
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def serve(self):
        body = self.body()
        given = self.headers.get("Authorization")
        user = None
        if given and given.startswith("Basic ") and base64.b64decode(given[6:]).decode() == PASSWORD:
            user = PASSWORD.split(":")[0]
        path, _, query = self.path.partition("?")
        LOG.write(json.dumps({"scheme": self.scheme, "path": path, "given": given is not None, "user": user,
                              "protocol": self.headers.get("Git-Protocol")}) + "\n")
        if not user:
            self.answer(401, [("WWW-Authenticate", 'Basic realm="lab"')], b"")
            return
        name, _, rest = path[1:].partition("/")
        if name in ("moved", "away"):
            place = "" if name == "moved" else "https://elsewhere.example"
            return self.answer(301, [("Location", f"{place}/{rest}?{query}")], b"")
        if name == "page":
            return self.answer(200, [("Content-Type", "text/html")], b"<p>private")
        if name == "echo":
            kind = "application/x-git-upload-pack-advertisement"
            return self.answer(200, [("X-Echo", given), ("Content-Type", kind)], f"{PASSWORD} {given}".encode())
        environment = {
            "PATH": os.environ["PATH"], "GIT_PROJECT_ROOT": FOLDER, "GIT_HTTP_EXPORT_ALL": "1", "PATH_INFO": path,
            "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": "/dev/null",
            "QUERY_STRING": query, "REQUEST_METHOD": self.command, "REMOTE_USER": user, "REMOTE_ADDR": "127.0.0.1",
            "CONTENT_TYPE": self.headers.get("Content-Type", ""), "CONTENT_LENGTH": str(len(body)),
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
        }
        done = subprocess.run(["git", "http-backend"], env=environment, input=body, stdout=subprocess.PIPE)
        head, _, content = done.stdout.partition(b"\r\n\r\n")
        headers = [tuple(line.split(": ", 1)) for line in head.decode().split("\r\n")]
        status = next((int(value.split()[0]) for name, value in headers if name == "Status"), 200)
        self.answer(status, [header for header in headers if header[0] != "Status"], content)

    do_GET = do_POST = serve


class Encrypted(Handler):
    scheme = "https"


plain = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
encrypted = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Encrypted)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(CERTIFICATE)
encrypted.socket = context.wrap_socket(encrypted.socket, server_side=True)
for server in (plain, encrypted):
    threading.Thread(target=server.serve_forever, daemon=True).start()
with open(os.path.join(FOLDER, "ports"), "w") as ports:
    ports.write(f"{encrypted.server_port} {plain.server_port}")
print("ready", flush=True)
sys.stdin.read()
