"""A mirror of packages over TLS on loopback that lets one user in.

Usage: mirror_server.py CERT+KEY.pem FOLDER   (writes FOLDER/port, prints "ready", serves until standard input ends)

FOLDER/files is handed out; FOLDER/password holds "user:password" lines, of which one goes as Basic, or the password alone in
X-Lab-Token. FOLDER/requests.jsonl gets a line for each request: method, path, whether it brought the credential (and which), its fields.
Besides: /moved/... is at /... by a whole URL, /relative/... is at /... by ../..., /away/... is on another server, /plain/...
is without TLS, /echo says the credential again in small pieces, /links and /page have links in small pieces, /endless goes on and on,
/blocked is a 403 with a reason, and /api/... says in JSON what was asked.
"""

import base64
import http.server
import json
import os
import ssl
import sys
import threading
import time

CERTIFICATE, FOLDER = sys.argv[1:]
LOG = open(os.path.join(FOLDER, "requests.jsonl"), "a", buffering=1)
TYPES = {"npm": "application/json", "simple": "text/html", "nuget": "application/atom+xml"}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 60
    disable_nagle_algorithm = True

    def log_message(self, *_):
        pass

    def answer(self, status, headers, body):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def pieces(self, headers, text, size):
        self.send_response(200)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        data = text.encode()
        for start in range(0, len(data), size):
            piece = data[start:start + size]
            self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
            self.wfile.flush()
            time.sleep(0.002)
        self.wfile.write(b"0\r\n\r\n")

    def endless(self):
        self.send_response(200)
        self.send_header("Content-Type", "application/octet-stream")
        self.send_header("Content-Length", str(1 << 40))
        self.end_headers()
        for _ in range(600):
            self.wfile.write(bytes(1000))
            time.sleep(0.1)

    def serve(self):
        size = 0
        if self.headers.get("Transfer-Encoding") == "chunked":
            while piece := int(self.rfile.readline(), 16):
                size += len(self.rfile.read(piece))
                self.rfile.readline()
            self.rfile.readline()
        else:
            left = int(self.headers.get("Content-Length") or 0)
            while left:
                piece = self.rfile.read(min(left, 1 << 16))
                if not piece:
                    return
                left -= len(piece)
                size += len(piece)
        given = self.headers.get("Authorization") or self.headers.get("X-Lab-Token")
        pairs = open(os.path.join(FOLDER, "password")).read().split("\n")
        which = [index for index, pair in enumerate(pairs)
                 if given in ("Basic " + base64.b64encode(pair.encode()).decode(), pair.split(":")[1])]
        right = bool(which)
        fields = sorted(name.lower() for name in self.headers.keys())
        LOG.write(json.dumps({"method": self.command, "path": self.path, "right": right, "fields": fields, "size": size,
                              "which": which}) + "\n")
        if not right:
            return self.answer(401, [("WWW-Authenticate", 'Basic realm="lab"')], b"who are you?")
        host = self.headers["Host"]
        name, _, rest = self.path[1:].partition("/")
        places = {
            "moved": f"https://{host}/{rest}", "away": f"https://elsewhere.example/{rest}?sig=a%2bb",
            "relative": f"../{rest}", "plain": f"http://{host}/{rest}",
        }
        if name in places:
            return self.answer(302, [("Location", places[name])], b"")
        if name == "echo":
            return self.pieces([("Content-Type", "text/html"), ("X-Echo", given)], f"said: {pairs[which[0]]} and {given}.", 3)
        if name == "links":
            urls = [f"https://{host}/a", f"https:\\/\\/{host}\\/b", f"https://{host}.evil/c", f"https://{host}", "https://h"]
            return self.pieces([("Content-Type", "application/vnd.lab+json")], " ".join(urls), 5)
        if name == "page":
            return self.pieces([("Content-Type", "text/html; charset=utf-8")], '<a href="/a">a</a> <a href=\'/b\'>b</a>'
                               ' <a href="//other.example/c">c</a> <a href="d">d</a> /e <a href="/', 4)
        if name == "endless":
            return self.endless()
        if name == "blocked":
            return self.answer(403, [("Content-Type", "text/plain")], b"blocked by curation")
        if name == "api":
            said = {"method": self.command, "path": self.path, "fields": fields, "size": size}
            next_page = [("Link", f'<https://{host}/api/2>; rel="next"'), ("Location", f"https://{host}/api/new")]
            return self.answer(200, [("Content-Type", "application/json")] + next_page, json.dumps(said).encode())
        path = os.path.join(FOLDER, "files", self.path[1:].partition("?")[0].replace("%2F", "/"))
        if os.path.isdir(path):
            path += "/index.html"
        if not os.path.isfile(path):
            return self.answer(404, [("Content-Type", "text/plain")], b"nothing here")
        kind = "application/json" if path.endswith(".json") else TYPES.get(name, "application/octet-stream")
        self.answer(200, [("Content-Type", kind), ("Accept-Ranges", "bytes")], open(path, "rb").read())

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = serve


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(CERTIFICATE)
server.socket = context.wrap_socket(server.socket, server_side=True)
threading.Thread(target=server.serve_forever, daemon=True).start()
with open(os.path.join(FOLDER, "port"), "w") as port:
    port.write(str(server.server_port))
print("ready", flush=True)
sys.stdin.read()
