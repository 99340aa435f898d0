"""witness.py PORT CERTIFICATE KEY STATE LOGS: a witness after c2sp.org/tlog-witness, with its own arithmetic.

LOGS holds the verifier keys of the logs it knows, one a line; it is read for each request. STATE keeps the tree heads
that were signed. The witness' own verifier key is printed first.
"""
import base64
import hashlib
import http.server
import json
import os
import ssl
import sys
import time

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

PORT, CERTIFICATE, KEY, STATE, LOGS = sys.argv[1:6]
NAME = "witness.example/lab"
secret = ed25519.Ed25519PrivateKey.from_private_bytes(hashlib.sha256(b"lab witness").digest())
public = secret.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)


def key_id(name, kind, key):
    return hashlib.sha256(name.encode() + b"\n" + bytes([kind]) + key).digest()[:4]


def node(left, right):
    return hashlib.sha256(b"\1" + left + right).digest()


def is_consistent(old, new, old_root, new_root, proof):
    """RFC 9162, section 2.1.4.2."""
    if old == 0:
        return not proof
    if old == new:
        return not proof and old_root == new_root
    path = list(proof)
    if old & (old - 1) == 0:
        path.insert(0, old_root)
    if not path:
        return False
    fn, sn = old - 1, new - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    fr = sr = path[0]
    for part in path[1:]:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            fr, sr = node(part, fr), node(part, sr)
            while fn & 1 == 0 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            sr = node(sr, part)
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and fr == old_root and sr == new_root


def known_logs():
    logs = {}
    for line in open(LOGS):
        name, _, blob = line.strip().split("+", 2)
        logs[name] = base64.b64decode(blob)[1:]
    return logs


def answer(body):
    head, checkpoint = body.split("\n\n", 1)
    lines = head.split("\n")
    old = int(lines[0].removeprefix("old "))
    proof = [base64.b64decode(line) for line in lines[1:]]
    text, signatures = checkpoint.split("\n\n", 1)
    text += "\n"
    origin, size, root = text.split("\n")[:3]
    size, root = int(size), base64.b64decode(root)
    logs = known_logs()
    if origin not in logs:
        return 404, "", "text/plain"
    signed = False
    for line in signatures.splitlines():
        _, name, blob = line.split(" ")
        blob = base64.b64decode(blob)
        if name == origin and blob[:4] == key_id(name, 1, logs[origin]):
            try:
                ed25519.Ed25519PublicKey.from_public_bytes(logs[origin]).verify(blob[4:], text.encode())
                signed = True
            except InvalidSignature:
                pass
    if not signed:
        return 403, "", "text/plain"
    if old > size:
        return 400, "", "text/plain"
    state = json.load(open(STATE)) if os.path.exists(STATE) else {}
    last, last_root = state.get(origin, [0, ""])
    if last != old or (old == size and bytes.fromhex(last_root) != root):
        return 409, f"{last}\n", "text/x.tlog.size"
    if not is_consistent(old, size, bytes.fromhex(last_root), root, proof):
        return 422, "", "text/plain"
    state[origin] = [size, root.hex()]
    with open(STATE + ".new", "w") as file:
        json.dump(state, file)
    os.replace(STATE + ".new", STATE)
    now = int(time.time())
    signature = secret.sign(f"cosignature/v1\ntime {now}\n{text}".encode())
    blob = key_id(NAME, 4, public) + now.to_bytes(8, "big") + signature
    return 200, f"\u2014 {NAME} {base64.b64encode(blob).decode()}\n", "text/plain"


class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        status, text, kind = answer(body) if self.path == "/w/add-checkpoint" else (404, "", "text/plain")
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(text.encode())))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_):
        pass


server = http.server.HTTPServer(("127.0.0.1", int(PORT)), Handler)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(CERTIFICATE, KEY)
server.socket = context.wrap_socket(server.socket, server_side=True)
print(f"{NAME}+{key_id(NAME, 4, public).hex()}+{base64.b64encode(bytes([4]) + public).decode()}", flush=True)
server.serve_forever()
