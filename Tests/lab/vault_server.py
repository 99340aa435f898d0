"""A server that follows the public HTTP API documents of Vault, as far as aibox uses it: logins of AppRole, JWT and TLS
certificates, tokens that are taken back or end, KV version 2 with namespaces, and the ways it fails. It is not Vault.

Usage: vault_server.py CERT+KEY.pem FOLDER [AUTHORITIES.pem]   (writes FOLDER/port, prints "ready", serves until standard input ends)

FOLDER/state.json: {"namespace": "", "sealed": false, "tokens": {"TOKEN": "policy"}, "approle": {"ROLE": "SECRET"},
"jwt": {"ROLE": "JWT"}, "kv": {"MOUNT/PATH": {...} or null for a deleted version}, "denied": ["MOUNT/PATH"], "revoke": 204}
It is read at each request. FOLDER/requests.jsonl: method, path, namespace, whether a token of its own was given, and the names
of the kind URI in the client's certificate, which has to come from AUTHORITIES.pem.

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

CERTIFICATE, FOLDER = sys.argv[1:3]
AUTHORITIES = sys.argv[3:]
LOG = open(os.path.join(FOLDER, "requests.jsonl"), "a", buffering=1)
LENT = set()


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

    def auth(self):
        token = "hvs." + secrets.token_urlsafe(24)
        LENT.add(token)
        self.answer(200, {
            "request_id": "1", "lease_id": "", "renewable": False, "lease_duration": 0, "data": None, "warnings": None,
            "auth": {
                "client_token": token, "accessor": "a", "policies": ["default"], "token_policies": ["default"],
                "metadata": {}, "lease_duration": 3600, "renewable": True, "entity_id": "e", "token_type": "service",
                "orphan": True,
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

    def serve(self):
        state = json.load(open(os.path.join(FOLDER, "state.json")))
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        token = self.headers.get("X-Vault-Token")
        path, _, query = self.path.partition("?")
        known = token in LENT or token in state["tokens"]
        LOG.write(json.dumps({
            "method": self.command, "path": path, "namespace": self.headers.get("X-Vault-Namespace", ""), "known": known,
            "peer": self.peer(),
        }) + "\n")
        if state.get("sealed"):
            return self.fail(503, "Vault is sealed")
        if self.headers.get("X-Vault-Namespace", "") != state["namespace"]:
            return self.fail(404, "no handler for route")
        path = path.removeprefix("/v1/").replace("%3A", ":")
        if path == "auth/jwt/login" and "jwt_roles" in state:
            given = json.loads(body)
            role = state["jwt_roles"].get(given.get("role"))
            if role and self.fits_jwt_role(role, given.get("jwt", "")):
                return self.auth()
            return self.fail(400, "error validating token: invalid audience, subject or signature")
        if path == "auth/cert/login":
            wanted = (json.loads(body) if body else {}).get("name")
            if self.peer() is None:
                return self.fail(400, "client certificate must be supplied")
            for name, role in state.get("cert", {}).items():
                allowed = role["allowed_uri_sans"]
                if wanted in (None, name) and any(fnmatch.fnmatchcase(uri, form) for uri in self.peer() for form in allowed):
                    return self.auth()
            return self.fail(400, "invalid certificate or no client certificate supplied")
        for method, role, word in (("approle", "role_id", "secret_id"), ("jwt", "role", "jwt")):
            if path == f"auth/{method}/login":
                given = json.loads(body)
                if state[method].get(given.get(role)) == given.get(word):
                    return self.auth()
                return self.fail(400, "invalid role or secret ID")
        if not known:
            return self.fail(403, "permission denied")
        if path == "auth/token/revoke-self":
            LENT.discard(token)
            return self.answer(state.get("revoke", 204))
        mount, kind, rest = path.split("/", 2)
        name = mount + "/" + rest
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
