"""A server that follows the public HTTP API documents of Vault, as far as aibox uses it: logins of AppRole, JWT and TLS
certificates, tokens that are looked up, renewed, taken back or end, KV version 2 with namespaces, dynamic secrets with leases
that are renewed up to a longest life and revoked by themselves or with their token, and the ways it fails. It is not Vault.

Usage: vault_server.py CERT+KEY.pem FOLDER [AUTHORITIES.pem]   (writes FOLDER/port, prints "ready", serves until standard input ends)

FOLDER/state.json: {"namespace": "", "sealed": false, "tokens": {"TOKEN": "policy"}, "approle": {"ROLE": "SECRET"},
"jwt": {"ROLE": "JWT"}, "kv": {"MOUNT/PATH": {...} or null for a deleted version}, "denied": ["PATH"], "revoke": 204,
"token": {"ttl": S, "max_ttl": S, "renewable": true}, "dynamic": {"PATH": {"ttl": S, "max_ttl": S, "renewable": true,
"data": {"NAME": "text, %n is a number that counts up"}, "answer": {what replaces members of the answer}}},
"outage": true hangs up without a word, "hang": S waits as long before it does, "redirect": "URL" sends every request there,
"drip": "PATH" answers there with a header without end, a byte every tenth of a second, "queued": true takes revocations and does
nothing of them yet (202), "not_found": "BODY" is the answer to each revocation, with 404, "answers": {"PATH": [STATUS, DOCUMENT]}
are given as they are, "auth": {what replaces members of the answer to a login}}
It is read at each request. FOLDER/requests.jsonl: method, path, namespace, whether a token of its own was given, the names of the
kind URI in the client's certificate, which has to come from AUTHORITIES.pem, and "sync" of a revocation.
FOLDER/leases.json: all leases so far, {"ID": {"path", "state": live, revoked, "ends", "data"}}.

"jwt_roles": {"ROLE": {"bound_subject": "...", "bound_audiences": ["..."]}}: tokens are checked with the keys of FOLDER/jwks.json
(needs the package PyJWT). "cert": {"ROLE": {"allowed_uri_sans": ["..."]}}: as Vault's roles of these methods.
"""

import fnmatch
import http.server
import json
import os
import secrets
import ssl
import sys
import threading
import time

CERTIFICATE, FOLDER = sys.argv[1:3]
AUTHORITIES = sys.argv[3:]
LOG = open(os.path.join(FOLDER, "requests.jsonl"), "a", buffering=1)
TOKENS = {}  # token -> accessor, ends, last
LEASES = {}  # id -> path, token, ends, last, state, data
LOCK = threading.RLock()
COUNT = [0]


def write_leases():
    text = json.dumps({key: {name: lease[name] for name in ("path", "state", "ends", "data")}
                       for key, lease in LEASES.items()})
    with open(os.path.join(FOLDER, "leases.new"), "w") as file:
        file.write(text)
    os.rename(os.path.join(FOLDER, "leases.new"), os.path.join(FOLDER, "leases.json"))


def end_token(token):
    TOKENS.pop(token, None)
    for lease in LEASES.values():
        if lease["token"] == token and lease["state"] == "live":
            lease["state"] = "revoked"
    write_leases()


def expire():
    now = time.time()
    for token in [token for token, facts in TOKENS.items() if facts["ends"] < now]:
        end_token(token)
    for lease in LEASES.values():
        if lease["state"] == "live" and lease["ends"] < now:
            lease["state"] = "expired"


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, status, document=None):
        body = b"" if document is None else json.dumps(document).encode()
        self.send_response(status)
        if status != 204:
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def fail(self, status, *errors):
        self.answer(status, {"errors": list(errors)})

    def auth(self, state, token=None):
        rules = {"ttl": 3600, "max_ttl": 86400, "renewable": True, **state.get("token", {})}
        now = time.time()
        if token is None:
            token = "hvs." + secrets.token_urlsafe(24)
            TOKENS[token] = {"accessor": secrets.token_urlsafe(18), "last": now + rules["max_ttl"]}
        facts = TOKENS[token]
        facts["ends"] = min(now + rules["ttl"], facts["last"])
        self.answer(200, {
            "request_id": "1", "lease_id": "", "renewable": False, "lease_duration": 0, "data": None, "warnings": None,
            "auth": {
                "client_token": token, "accessor": facts["accessor"], "policies": ["default"],
                "token_policies": ["default"], "metadata": {}, "lease_duration": round(facts["ends"] - now),
                "renewable": rules["renewable"], "entity_id": "e", "token_type": "service", "orphan": True,
                **state.get("auth", {}),
            },
        })

    def peer(self):
        """The client's certificate: its names of the kind URI; None without one."""
        certificate = self.connection.getpeercert()
        return [name for kind, name in certificate.get("subjectAltName", ()) if kind == "URI"] if certificate else None

    def fits_jwt_role(self, role, token):
        import jwt
        try:
            key = jwt.PyJWKSet.from_dict(json.load(open(os.path.join(FOLDER, "jwks.json"))))[jwt.get_unverified_header(token)["kid"]]
            claims = jwt.decode(token, key, algorithms=["RS256", "RS384", "RS512", "ES256", "ES384", "ES512", "PS256", "PS384", "PS512"],
                                audience=role["bound_audiences"], options={"require": ["exp", "aud", "sub"]})
        except (jwt.PyJWTError, KeyError):
            return False
        return claims["sub"] == role["bound_subject"]

    def dynamic(self, rules, path, token):
        now = time.time()
        COUNT[0] += 1
        data = {name: text.replace("%n", str(COUNT[0])) for name, text in rules["data"].items()}
        lease = path + "/" + secrets.token_urlsafe(18)
        LEASES[lease] = {"path": path, "token": token, "ends": now + rules["ttl"], "last": now + rules["max_ttl"],
                         "state": "live", "data": data, "rules": rules}
        write_leases()
        self.answer(200, {
            "request_id": "4", "lease_id": lease, "renewable": rules.get("renewable", True),
            "lease_duration": rules["ttl"], "data": data, "warnings": None, "auth": None, **rules.get("answer", {})})

    def renew(self, given):
        lease = LEASES.get(given.get("lease_id"))
        if lease is None or lease["state"] != "live":
            return self.fail(400, "lease not found")
        if not lease["rules"].get("renewable", True):
            return self.fail(400, "lease is not renewable")
        now = time.time()
        lease["ends"] = min(now + int(given.get("increment") or lease["rules"]["ttl"]), lease["last"])
        write_leases()
        self.answer(200, {"lease_id": given["lease_id"], "renewable": True,
                          "lease_duration": max(0, round(lease["ends"] - now))})

    def revoke(self, given):
        lease = LEASES.get(given.get("lease_id"))
        if lease is None or lease["state"] != "live":
            return self.fail(400, "lease not found")
        if not given.get("sync"):
            return self.answer(202)
        lease["state"] = "revoked"
        write_leases()
        self.answer(204)

    def serve(self):
        with LOCK:
            self.serve_one()

    def serve_one(self):
        state = json.load(open(os.path.join(FOLDER, "state.json")))
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        token = self.headers.get("X-Vault-Token")
        path, _, query = self.path.partition("?")
        expire()
        known = token in TOKENS or token in state["tokens"]
        LOG.write(json.dumps({
            "method": self.command, "path": path, "namespace": self.headers.get("X-Vault-Namespace", ""), "known": known,
            "peer": self.peer(), **({"sync": json.loads(body).get("sync")} if path.endswith("sys/leases/revoke") else {}),
        }) + "\n")
        if state.get("outage") or state.get("hang"):
            time.sleep(state.get("hang", 0))
            self.close_connection = True
            return
        if state.get("drip") == path.removeprefix("/v1/"):
            for _ in range(300):
                self.wfile.write(b"HTTP/1.1 200 OK\r\nX: aaaa"[_:_ + 1] or b"a")
                time.sleep(0.1)
            self.close_connection = True
            return
        if state.get("redirect"):
            self.send_response(307)
            self.send_header("Location", state["redirect"] + self.path)
            self.send_header("Content-Length", "0")
            return self.end_headers()
        if state.get("sealed"):
            return self.fail(503, "Vault is sealed")
        if self.headers.get("X-Vault-Namespace", "") != state["namespace"]:
            return self.fail(404, "no handler for route")
        path = path.removeprefix("/v1/").replace("%3A", ":")
        given = json.loads(body) if body else {}
        if path in state.get("answers", {}):
            return self.answer(*state["answers"][path])
        if path == "auth/jwt/login" and given.get("role") in state.get("jwt_roles", {}):
            role = state["jwt_roles"][given["role"]]
            if self.fits_jwt_role(role, given.get("jwt", "")):
                return self.auth(state)
            return self.fail(400, "error validating token: invalid audience, subject or signature")
        if path == "auth/cert/login":
            wanted = given.get("name")
            if self.peer() is None:
                return self.fail(400, "client certificate must be supplied")
            for name, role in state.get("cert", {}).items():
                allowed = role["allowed_uri_sans"]
                if wanted in (None, name) and any(fnmatch.fnmatchcase(uri, form) for uri in self.peer() for form in allowed):
                    return self.auth(state)
            return self.fail(400, "invalid certificate or no client certificate supplied")
        for method, role, word in (("approle", "role_id", "secret_id"), ("jwt", "role", "jwt")):
            if path == f"auth/{method}/login":
                if state[method].get(given.get(role)) == given.get(word):
                    return self.auth(state)
                return self.fail(400, "invalid role or secret ID")
        if not known or path in state.get("denied", []):
            return self.fail(403, "permission denied")
        if "revoke" in path and state.get("queued"):
            return self.answer(202)
        if "revoke" in path and "not_found" in state:
            return self.answer(404, state["not_found"])
        if path == "auth/token/revoke-self":
            if state.get("revoke", 204) < 300:
                end_token(token)
            return self.answer(state.get("revoke", 204))
        if path == "auth/token/lookup-self":
            facts = TOKENS.get(token, {"accessor": "static", "ends": 0})
            return self.answer(200, {"request_id": "5", "data": {
                "accessor": facts["accessor"], "ttl": max(0, round(facts["ends"] - time.time())), "type": "service",
                "renewable": token in TOKENS and state.get("token", {}).get("renewable", True)}})
        if path == "auth/token/renew-self":
            if token not in TOKENS or not state.get("token", {}).get("renewable", True):
                return self.fail(400, "lease is not renewable")
            return self.auth(state, token)
        if path == "auth/token/revoke-accessor":
            for other, facts in list(TOKENS.items()):
                if facts["accessor"] == given.get("accessor"):
                    end_token(other)
                    return self.answer(204)
            return self.fail(400, "1 error occurred: * invalid accessor")
        if path == "sys/leases/renew":
            return self.renew(given)
        if path == "sys/leases/revoke":
            return self.revoke(given)
        if path in state.get("dynamic", {}):
            return self.dynamic(state["dynamic"][path], path, token)
        if path.count("/") < 2:
            return self.fail(404, "no handler for route")
        mount, kind, rest = path.split("/", 2)
        name = mount + "/" + rest
        if mount not in {"aibox"} | {entry.split("/")[0] for entry in state["kv"]}:
            return self.fail(404, f'no handler for route "{path}". route entry not found.')
        if name in state.get("denied", []):
            return self.fail(403, "1 error occurred: * permission denied")
        if kind == "data" and name in state["kv"]:
            data = state["kv"][name]
            metadata = {"created_time": "2026-01-01T00:00:00Z", "custom_metadata": None, "destroyed": False, "version": 3,
                        "deletion_time": "" if data else "2026-01-02T00:00:00Z"}
            return self.answer(200 if data else 404, {
                "request_id": "2", "lease_id": "", "renewable": False, "lease_duration": 0,
                "data": {"data": data, "metadata": metadata}, "warnings": None, "auth": None})
        if kind == "metadata" and query == "list=true":
            below = {key[len(name) + 1:] for key in state["kv"] if key.startswith(name + "/")}
            keys = sorted({key if "/" not in key else key.split("/")[0] + "/" for key in below})
            if keys:
                return self.answer(200, {"request_id": "3", "data": {"keys": keys}, "warnings": None, "auth": None})
        self.answer(404, {"errors": []})

    do_GET = do_POST = do_PUT = serve


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(CERTIFICATE)
for authorities in AUTHORITIES:
    context.load_verify_locations(authorities)
    context.verify_mode = ssl.CERT_OPTIONAL
server.socket = context.wrap_socket(server.socket, server_side=True)
threading.Thread(target=server.serve_forever, daemon=True).start()
with open(os.path.join(FOLDER, "port"), "w") as port:
    port.write(str(server.server_port))
print("ready", flush=True)
sys.stdin.read()
