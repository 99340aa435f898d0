#!/usr/bin/env python3
"""Checks a proof made by `aibox audit prove` with nothing but Python: check-audit-proof.py PROOF LOG.PUB"""
import base64, hashlib, json, sys

P, D = 2**255 - 19, -121665 * pow(121666, -1, 2**255 - 19)
L = 2**252 + 27742317777372353535851937790883648493
sha256 = lambda data: hashlib.sha256(data).digest()

def add(a, b):  # Edwards curve, extended coordinates (RFC 8032, 5.1.4)
    A, B = (a[1] - a[0]) * (b[1] - b[0]) % P, (a[1] + a[0]) * (b[1] + b[0]) % P
    C, Z = 2 * a[3] * b[3] * D % P, 2 * a[2] * b[2] % P
    E, F, G, H = B - A, Z - C, Z + C, B + A
    return E * F % P, G * H % P, F * G % P, E * H % P

def multiply(k, point):
    result = (0, 1, 1, 0)
    while k:
        if k & 1: result = add(result, point)
        point, k = add(point, point), k >> 1
    return result

def decode(data):  # a point from 32 bytes (RFC 8032, 5.1.3)
    number = int.from_bytes(data, "little")
    sign, y = number >> 255, number & (2**255 - 1)
    x2 = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(x2, (P + 3) // 8, P)
    if (x * x - x2) % P: x = x * pow(2, (P - 1) // 4, P) % P
    assert y < P and (x * x - x2) % P == 0, "no point of the curve"
    if x & 1 != sign: x = P - x
    return x, y, 1, x * y % P

def valid(signature, message, key):  # Ed25519 (RFC 8032, 5.1.7)
    s = int.from_bytes(signature[32:], "little")
    k = int.from_bytes(hashlib.sha512(signature[:32] + key + message).digest(), "little") % L
    base = decode((4 * pow(5, -1, P) % P).to_bytes(32, "little"))
    left, right = multiply(s, base), add(decode(signature[:32]), multiply(k, decode(key)))
    return s < L and all((left[i] * right[2] - right[i] * left[2]) % P == 0 for i in (0, 1))

proof, pub = open(sys.argv[1], encoding="utf-8").read(), open(sys.argv[2], encoding="utf-8").read()
name, key_id, key = next(l[4:] for l in pub.splitlines() if l.startswith("key ")).split("+", 2)
head, text, signatures = proof.split("\n\n")
title, extra, index, *path = head.split("\n")
origin, size, root = text.split("\n")[:3]
event, index, size = base64.b64decode(extra.split(" ")[1]), int(index.split(" ")[1]), int(size)
assert title == "c2sp.org/tlog-proof@v1" and origin == name, "not a proof of this log"
blob = next(base64.b64decode(l.split(" ")[2]) for l in signatures.splitlines() if l.split(" ")[1] == name)
assert blob[:4].hex() == key_id and valid(blob[4:], (text + "\n").encode(), base64.b64decode(key)[1:]), "bad signature"
assert index < size, "the event is not covered"
node, last, tree = index, size - 1, sha256(b"\0" + event)  # RFC 9162, 2.1.3.2
for sibling in map(base64.b64decode, path):
    assert last, "the path is too long"
    if node & 1 or node == last:
        tree = sha256(b"\1" + sibling + tree)
        while node and not node & 1: node, last = node >> 1, last >> 1
    else: tree = sha256(b"\1" + tree + sibling)
    node, last = node >> 1, last >> 1
assert not last and tree == base64.b64decode(root), "the event is not in the signed tree"
assert json.loads(event)["seq"] == index + 1, "the event has another number"
print(f"holds: event {index + 1} of {size} in {origin}\n{event.decode()}")
