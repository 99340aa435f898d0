"""The SPIFFE Workload API on a Unix socket: gRPC's own Python server with the official messages (package spiffe), and X.509 and
JWT authorities of its own. It is not SPIRE, and shares no code with aibox.

Usage: workload_api.py SOCKET FOLDER   (prints "ready", serves until standard input ends)

FOLDER/workload.json, read at each request, and again and again by streams: {"id": "spiffe://lab.test/aibox", "fault": "", "algorithm":
"ES256", "lifetime": 3600, "generation": 1, "others": ["spiffe://..."]}. "others" are listed after "id". A new generation is a new certificate, and a message on every open stream. "fault" is
the way in which an answer is wrong; see below. FOLDER/workload.jsonl: method, metadata and the time limit of every call.
FOLDER/bundle.pem and FOLDER/jwks.json: what the SVIDs can be checked with.
"""

import concurrent.futures
import datetime
import hashlib
import hmac
import base64
import json
import os
import sys
import threading
import time

import grpc
import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from spiffe._proto import workload_pb2 as pb

SOCKET, FOLDER = sys.argv[1:]
LOG = open(os.path.join(FOLDER, "workload.jsonl"), "a", buffering=1)
DOMAIN = "spiffe://lab.test"
STATUSES = {
    "permission-denied": grpc.StatusCode.PERMISSION_DENIED, "unavailable": grpc.StatusCode.UNAVAILABLE,
    "unimplemented": grpc.StatusCode.UNIMPLEMENTED, "internal": grpc.StatusCode.INTERNAL,
}


def state():
    for _ in range(50):
        try:
            return {"id": DOMAIN + "/aibox", "fault": "", "algorithm": "ES256", "lifetime": 3600, "generation": 1, "others": [],
                    **json.load(open(os.path.join(FOLDER, "workload.json")))}
        except (OSError, ValueError):
            time.sleep(0.01)
    raise SystemExit("no state")


# X.509

def der(certificate):
    return certificate.public_bytes(serialization.Encoding.DER)


def usage(*names):
    all_names = ["digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
                 "key_cert_sign", "crl_sign", "encipher_only", "decipher_only"]
    return x509.KeyUsage(**{name: name in names for name in all_names})


def certificate(key, issuer, issuer_key, *, uris, ca=False, keys=("digital_signature",), critical=True, common="x",
                extended=(ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH), start=-60, end=3600):
    now = datetime.datetime.now(datetime.timezone.utc)
    subject = x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "SPIRE"), x509.NameAttribute(NameOID.COMMON_NAME, common)])
    builder = (
        x509.CertificateBuilder().subject_name(subject).issuer_name(issuer.subject if issuer else subject)
        .public_key(key.public_key()).serial_number(x509.random_serial_number())
        .not_valid_before(now + datetime.timedelta(seconds=start)).not_valid_after(now + datetime.timedelta(seconds=end))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False))
    if issuer:
        builder = builder.add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
    if keys:
        builder = builder.add_extension(usage(*keys), critical=critical)
    if uris:
        builder = builder.add_extension(
            x509.SubjectAlternativeName([x509.UniformResourceIdentifier(uri) for uri in uris]), critical=False)
    if extended and not ca:
        builder = builder.add_extension(x509.ExtendedKeyUsage(extended), critical=False)
    return builder.sign(issuer_key or key, hashes.SHA256())


def authority(common):
    key = ec.generate_private_key(ec.SECP256R1())
    return certificate(key, None, None, uris=[DOMAIN], ca=True, keys=("key_cert_sign", "crl_sign"), common=common), key


ROOT, ROOT_KEY = authority("root")
OTHER, OTHER_KEY = authority("root")
MIDDLE_KEY = ec.generate_private_key(ec.SECP256R1())
MIDDLE = certificate(MIDDLE_KEY, ROOT, ROOT_KEY, uris=[DOMAIN], ca=True, keys=("key_cert_sign",), common="middle")


def pkcs8(key):
    return key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


ISSUED, ISSUING = {}, threading.Lock()


def issued(now):
    """The same certificate for everybody until something changes, as an agent has it."""
    name = json.dumps(now, sort_keys=True)
    with ISSUING:
        if name not in ISSUED:
            ISSUED[name] = x509_entry(now)
        return ISSUED[name]


def x509_entry(now):
    fault, name = now["fault"], now["id"]
    key = rsa.generate_private_key(65537, 2048) if now["algorithm"].startswith("RS") else ec.generate_private_key(ec.SECP256R1())
    options = {"uris": [name], "end": now["lifetime"], "common": f"generation {now['generation']}"}
    issuer, issuer_key = ROOT, ROOT_KEY
    if fault == "x509-two-uris": options["uris"] = [name, name + "/more"]
    if fault == "x509-no-uri": options["uris"] = []
    if fault == "x509-other-id": options["uris"] = [name + "/other"]
    if fault == "x509-authority": options["ca"] = True
    if fault == "x509-no-usage": options["keys"] = ()
    if fault == "x509-usage-not-critical": options["critical"] = False
    if fault == "x509-signs-certificates": options["keys"] = ("digital_signature", "key_cert_sign")
    if fault == "x509-signs-revocations": options["keys"] = ("digital_signature", "crl_sign")
    if fault == "x509-no-signature": options["keys"] = ("key_agreement",)
    if fault == "x509-servers-only": options["extended"] = (ExtendedKeyUsageOID.SERVER_AUTH,)
    if fault == "x509-clients-only": options["extended"] = (ExtendedKeyUsageOID.CLIENT_AUTH,)
    if fault == "x509-expired": options.update(start=-600, end=-60)
    if fault == "x509-future": options.update(start=600)
    if fault == "x509-foreign": issuer, issuer_key = OTHER, OTHER_KEY
    if fault == "x509-self-signed": issuer = issuer_key = None
    if fault in ("x509-middle", "x509-middle-missing"): issuer, issuer_key = MIDDLE, MIDDLE_KEY
    if fault == "x509-bad-id": name = options["uris"][0] = "spiffe://lab.test/a/../b"
    if fault == "x509-http-id": name = options["uris"][0] = "https://lab.test/aibox"
    if fault == "x509-root-id": name = options["uris"][0] = DOMAIN
    leaf = certificate(key, issuer, issuer_key, **options)
    entry = pb.X509SVID(spiffe_id=name, x509_svid=der(leaf), x509_svid_key=pkcs8(key), bundle=der(ROOT), hint="internal")
    if fault == "x509-middle": entry.x509_svid += der(MIDDLE)
    if fault == "x509-other-key": entry.x509_svid_key = pkcs8(ec.generate_private_key(ec.SECP256R1()))
    if fault == "x509-broken-key": entry.x509_svid_key = entry.x509_svid_key[:-3]
    if fault == "x509-encrypted-key":
        entry.x509_svid_key = key.private_bytes(
            serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.BestAvailableEncryption(b"x"))
    if fault == "x509-trailing-key": entry.x509_svid_key += b"x"
    if fault == "x509-trailing": entry.x509_svid += b"x"
    if fault == "x509-changed": entry.x509_svid = entry.x509_svid[:-1] + bytes([entry.x509_svid[-1] ^ 1])
    if fault == "x509-no-chain": entry.x509_svid = b""
    if fault == "x509-no-key": entry.x509_svid_key = b""
    if fault == "x509-no-bundle": entry.bundle = b""
    if fault == "x509-broken-bundle": entry.bundle = b"bundle"
    if fault == "x509-no-id": entry.spiffe_id = ""
    return entry


# JWT

JWT_KEYS = {
    "RSA": rsa.generate_private_key(65537, 2048), "ES256": ec.generate_private_key(ec.SECP256R1()),
    "ES384": ec.generate_private_key(ec.SECP384R1()), "ES512": ec.generate_private_key(ec.SECP521R1()),
    "short": rsa.generate_private_key(65537, 1024),
}


def encoded(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def jwk(name, key):
    numbers = key.public_key().public_numbers()
    if isinstance(key, rsa.RSAPrivateKey):
        size = (numbers.n.bit_length() + 7) // 8
        return {"kty": "RSA", "kid": name, "n": encoded(numbers.n.to_bytes(size, "big")), "e": encoded(b"\1\0\1")}
    size = (key.key_size + 7) // 8
    return {"kty": "EC", "kid": name, "crv": {256: "P-256", 384: "P-384", 521: "P-521"}[key.key_size],
            "x": encoded(numbers.x.to_bytes(size, "big")), "y": encoded(numbers.y.to_bytes(size, "big"))}


JWKS = {"keys": [jwk(name, key) for name, key in JWT_KEYS.items()] + [{"kty": "OKP", "kid": "later", "crv": "Ed25519", "x": "AA"}]}


def jwt_entry(now, audience):
    fault, name, algorithm = now["fault"], now["id"], now["algorithm"]
    kid = "RSA" if algorithm[:2] in ("RS", "PS") else algorithm
    clock = int(time.time())
    claims = {"sub": name, "aud": list(audience), "exp": clock + now["lifetime"], "iat": clock}
    headers = {"kid": kid, "typ": "JWT"}
    key = JWT_KEYS[kid]
    listed = name
    if fault == "jwt-other-key": key = ec.generate_private_key(ec.SECP256R1())
    if fault == "jwt-unknown-kid": headers["kid"] = "unknown"
    if fault == "jwt-no-kid": headers.pop("kid")
    if fault == "jwt-kid-number": headers["kid"] = None
    if fault == "jwt-kid-of-another": headers["kid"] = "RSA"
    if fault == "jwt-short-key": key, algorithm, headers["kid"] = JWT_KEYS["short"], "RS256", "short"
    if fault == "jwt-audience": claims["aud"] = ["somebody else"]
    if fault == "jwt-no-audience": claims.pop("aud")
    if fault == "jwt-audience-text": claims["aud"] = audience[0]
    if fault == "jwt-expired": claims["exp"] = clock - 1
    if fault == "jwt-no-expiry": claims.pop("exp")
    if fault == "jwt-expiry-text": claims["exp"] = "never"
    if fault == "jwt-future": claims["nbf"] = clock + 600
    if fault == "jwt-subject": claims["sub"] = name + "/other"
    if fault == "jwt-no-subject": claims.pop("sub")
    if fault == "jwt-bad-id": listed = claims["sub"] = "spiffe://Lab.Test/aibox"
    if fault == "jwt-root-id": listed = claims["sub"] = DOMAIN
    if fault == "jwt-foreign": listed = claims["sub"] = "spiffe://other.test/aibox"
    if fault == "jwt-header": headers["jku"] = "https://evil.test/keys"
    if fault == "jwt-critical": headers["crit"] = ["b64"]
    if fault == "jwt-type": headers["typ"] = "at+jwt"

    def signed(header, payload, sign):
        start = encoded(json.dumps(header).encode()) + "." + encoded(json.dumps(payload).encode())
        return start + "." + encoded(sign(start.encode()))

    if fault == "jwt-none":
        token = signed({"alg": "none", "kid": kid}, claims, lambda _: b"")
    elif fault == "jwt-hmac":
        # The public key, taken for a secret.
        secret = key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        token = signed({"alg": "HS256", "kid": kid}, claims, lambda text: hmac.new(secret, text, hashlib.sha256).digest())
    elif fault in ("jwt-critical", "jwt-kid-number", "jwt-expiry-text", "jwt-short-key", "jwt-no-subject"):
        def sign(text):
            if headers.get("kid") == "short":
                from cryptography.hazmat.primitives.asymmetric import padding
                return key.sign(text, padding.PKCS1v15(), hashes.SHA256())
            from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
            r, s = decode_dss_signature(key.sign(text, ec.ECDSA(hashes.SHA256())))
            return r.to_bytes(32, "big") + s.to_bytes(32, "big")
        token = signed({"alg": algorithm, **headers}, claims, sign)
    else:
        token = jwt.encode(claims, key, algorithm=algorithm, headers=headers)
    head, body, signature = token.split(".")
    if fault == "jwt-changed":
        body = encoded(json.dumps({**claims, "admin": True}).encode())
    if fault == "jwt-null-signature":
        signature = encoded(bytes(64))
    if fault == "jwt-no-signature":
        signature = ""
    token = ".".join([head, body, signature])
    if fault == "jwt-unsigned": token = head + "." + body
    if fault == "jwt-garbage": token = "garbage"
    if fault == "jwt-padded": token += "=="
    if fault == "jwt-empty": token = ""
    if fault == "jwt-long": token = "a" * 100_000
    return pb.JWTSVID(spiffe_id=listed, svid=token)


# gRPC

def enter(method, context):
    metadata = {key: value for key, value in context.invocation_metadata()}
    left = context.time_remaining()
    LOG.write(json.dumps({"method": method, "metadata": metadata, "limited": left is not None and left < 3600}) + "\n")
    if metadata.get("workload.spiffe.io") != "true":
        context.abort(grpc.StatusCode.INVALID_ARGUMENT, "security header missing from request")
    check(context, state())


def check(context, now):
    fault = now["fault"]
    if fault in STATUSES:
        context.abort(STATUSES[fault], "no identity issued: 100% \u00fcber\x1b[31m")
    if fault == "silent":
        while context.is_active():
            time.sleep(0.05)
    if fault == "slow":
        time.sleep(0.5)


def wrong(now):
    """Bytes in the place of a message."""
    return {"garbage": b"\xff\xff\xff\xff", "cut": b"\x0a\x7fabc", "oversized": b"\x0a" + b"\x80" * 3 + b"\x02" + bytes(5 << 20),
            "many": b"\x0a\x00" * 1000, "none": b""}.get(now["fault"])


def fetch_x509_svid(_, context):
    enter("FetchX509SVID", context)
    sent = None
    while context.is_active():
        now = state()
        check(context, now)
        if now["generation"] != sent:
            sent = now["generation"]
            bad = wrong(now)
            # More than a window holds: it has to be opened again and again.
            lists = [bytes(3 << 20)] if now["fault"] == "x509-large" else []
            yield bad if bad is not None else pb.X509SVIDResponse(
                svids=[issued({**now, "id": name}) for name in [now["id"], *now["others"]]], crl=lists)
            if now["fault"] == "hang-up":
                return
        time.sleep(0.03)


def fetch_x509_bundles(_, context):
    enter("FetchX509Bundles", context)
    yield pb.X509BundlesResponse(bundles={DOMAIN: der(ROOT)})


def fetch_jwt_svid(request, context):
    enter("FetchJWTSVID", context)
    now = state()
    if not request.audience:
        context.abort(grpc.StatusCode.INVALID_ARGUMENT, "audience must be specified")
    bad = wrong(now)
    if bad is not None:
        return bad
    # One SPIFFE ID may be asked for; an agent may also answer with all.
    names = [name for name in [now["id"], *now["others"]] if request.spiffe_id in ("", name) or now["fault"] == "jwt-all"]
    if not names:
        context.abort(grpc.StatusCode.PERMISSION_DENIED, "no identity issued")
    return pb.JWTSVIDResponse(svids=[jwt_entry({**now, "id": name}, request.audience) for name in names])


def fetch_jwt_bundles(_, context):
    enter("FetchJWTBundles", context)
    fault = state()["fault"]
    document = json.dumps(JWKS).encode()
    if fault == "bundle-garbage": document = b"garbage"
    if fault == "bundle-empty": document = b'{"keys": []}'
    if fault == "bundle-use": document = json.dumps({"keys": [{**key, "use": "x509-svid"} for key in JWKS["keys"]]}).encode()
    if fault == "bundle-none":
        return
    yield pb.JWTBundlesResponse(bundles={DOMAIN + "/x" if fault == "bundle-other" else DOMAIN: document})
    while context.is_active():
        time.sleep(0.03)


def plain(message):
    return message if isinstance(message, bytes) else message.SerializeToString()


def handler(kind, body, request):
    return kind(body, request_deserializer=request.FromString, response_serializer=plain)


with open(os.path.join(FOLDER, "bundle.pem"), "wb") as file:
    file.write(ROOT.public_bytes(serialization.Encoding.PEM))
with open(os.path.join(FOLDER, "jwks.json"), "w") as file:
    json.dump(JWKS, file)
server = grpc.server(concurrent.futures.ThreadPoolExecutor(max_workers=32))
server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler("SpiffeWorkloadAPI", {
    "FetchX509SVID": handler(grpc.unary_stream_rpc_method_handler, fetch_x509_svid, pb.X509SVIDRequest),
    "FetchX509Bundles": handler(grpc.unary_stream_rpc_method_handler, fetch_x509_bundles, pb.X509BundlesRequest),
    "FetchJWTSVID": handler(grpc.unary_unary_rpc_method_handler, fetch_jwt_svid, pb.JWTSVIDRequest),
    "FetchJWTBundles": handler(grpc.unary_stream_rpc_method_handler, fetch_jwt_bundles, pb.JWTBundlesRequest),
})])
server.add_insecure_port("unix:" + SOCKET)
server.start()
print("ready", flush=True)
sys.stdin.read()
server.stop(0)
os._exit(0)
