"""A server of HTTP/2 over TLS on loopback, which also does what no server should (python3-h2, hyper's; no code of aibox's).

Usage: http2_server.py CERT+KEY.pem FOLDER STREAMS   (prints "ready PORT", serves until standard input ends)

STREAMS is what it takes at once (SETTINGS_MAX_CONCURRENT_STREAMS); ALPN offers h2 alone. The first segment of a path says what
happens; see `answer`. FOLDER/requests.jsonl gets a line for each request when its body is there (connection, stream, method,
path, fields, size and SHA-256 of the body), and for each that was reset; FOLDER/sent the bytes of bodies sent so far.
"""

import hashlib
import json
import os
import socket
import ssl
import struct
import sys
import threading
import time

import h2.config
import h2.connection
import h2.events
import h2.exceptions
import h2.settings

CERTIFICATE, FOLDER, STREAMS = sys.argv[1:]
LOG = open(os.path.join(FOLDER, "requests.jsonl"), "a", buffering=1)
LOCK = threading.Lock()
ONCE = set()
JSON = [("content-type", "application/json")]
HELLO = b'{"ok":true,"usage":{"input_tokens":25,"output_tokens":7}}'


def frame(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def literal(*fields):
    """HPACK without indexing and without Huffman's code (RFC 7541 section 6.2.2)."""
    block = b""
    for name, value in fields:
        block += b"\0" + length(len(name)) + name.encode() + length(len(value)) + value.encode()
    return block


def length(count):
    if count < 127:
        return bytes([count])
    rest, out = count - 127, b"\x7f"
    while rest >= 128:
        out, rest = out + bytes([rest & 127 | 128]), rest >> 7
    return out + bytes([rest])


class Connection:
    number = 0

    def __init__(self, sock):
        with LOCK:
            Connection.number += 1
            self.number = Connection.number
        self.sock, self.requests, self.out, self.sent, self.last, self.deaf = sock, {}, {}, 0, 0, False
        self.h2 = h2.connection.H2Connection(h2.config.H2Configuration(
            client_side=False, header_encoding="utf-8", validate_outbound_headers=False))
        self.h2.local_settings = h2.settings.Settings(client=False, initial_values={
            h2.settings.SettingCodes.MAX_CONCURRENT_STREAMS: int(STREAMS),
            h2.settings.SettingCodes.INITIAL_WINDOW_SIZE: 65535, h2.settings.SettingCodes.MAX_FRAME_SIZE: 16384})
        self.h2.initiate_connection()

    def note(self, **line):
        with LOCK:
            LOG.write(json.dumps({"connection": self.number, **line}) + "\n")

    def raw(self, *frames):
        self.flush()
        self.sock.sendall(b"".join(frames))

    def flush(self):
        data = self.h2.data_to_send()
        if data:
            self.sock.sendall(data)

    def serve(self):
        self.sock.settimeout(0.01)
        while True:
            self.flush()
            self.write()
            if self.deaf:
                time.sleep(60)
            try:
                data = self.sock.recv(65536)
            except (TimeoutError, ssl.SSLWantReadError):
                continue
            if not data:
                return
            for event in self.h2.receive_data(data):
                self.take(event)

    def take(self, event):
        if isinstance(event, h2.events.RequestReceived):
            fields = dict(event.headers)
            self.requests[event.stream_id] = [fields, 0, hashlib.sha256()]
            self.begin(event.stream_id, fields[":path"].split("/")[1])
        elif isinstance(event, h2.events.DataReceived) and event.stream_id in self.requests:
            request = self.requests[event.stream_id]
            request[1] += len(event.data)
            request[2].update(event.data)
            if not request[0][":path"].startswith("/stuck"):
                self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        elif isinstance(event, h2.events.StreamEnded):
            fields, size, digest = self.requests.pop(event.stream_id, ({}, 0, None))
            if fields:
                names = sorted(name for name in fields if not name.startswith(":"))
                self.note(stream=event.stream_id, method=fields[":method"], path=fields[":path"], fields=names, size=size,
                          sha256=digest.hexdigest(), authority=fields[":authority"])
                self.answer(event.stream_id, fields, size, digest.hexdigest())
        elif isinstance(event, h2.events.StreamReset):
            self.out.pop(event.stream_id, None)
            self.requests.pop(event.stream_id, None)
            self.note(stream=event.stream_id, reset=int(event.error_code))

    def first(self, what):
        with LOCK:
            if what in ONCE:
                return False
            ONCE.add(what)
            return True

    def begin(self, stream, what):
        """What is done before the body is there."""
        if what == "refused" or what == "refused-once" and self.first(what):
            self.h2.reset_stream(stream, 7)
            del self.requests[stream]
        elif what == "goaway-once" and self.first(what):
            # Nothing above the last one is begun; what was is finished.
            self.raw(frame(7, 0, 0, struct.pack(">II", self.last, 0)))
            del self.requests[stream]
        elif what == "leaving":
            # The last one is begun and to be finished, its body included.
            self.last = max(self.last, stream)
            self.raw(frame(7, 0, 0, struct.pack(">II", self.last, 0)))
        elif what == "early":
            self.h2.send_headers(stream, [(":status", "413"), ("content-length", "2")])
            self.send(stream, [b"no"])
        else:
            self.last = max(self.last, stream)

    def send(self, stream, pieces, trailers=None):
        self.out[stream] = [iter(pieces), b"", trailers, 0]

    def write(self):
        for stream, state in list(self.out.items()):
            while time.monotonic() >= state[3]:
                if not state[1]:
                    piece = next(state[0], None)
                    if piece is None:
                        if state[2]:
                            self.h2.send_headers(stream, state[2], end_stream=True)
                        else:
                            self.h2.end_stream(stream)
                        del self.out[stream]
                        break
                    if isinstance(piece, float):
                        state[3] = time.monotonic() + piece
                        break
                    state[1] = piece
                count = min(self.h2.local_flow_control_window(stream), 16384, len(state[1]))
                if count <= 0:
                    break
                self.h2.send_data(stream, state[1][:count])
                state[1] = state[1][count:]
                self.sent += count
                # A frame each.
                self.flush()
            self.flush()
            with open(os.path.join(FOLDER, "sent"), "w") as file:
                file.write(str(self.sent))

    def hello(self, stream, body=HELLO):
        self.h2.send_headers(stream, [(":status", "200")] + JSON + [("content-length", str(len(body)))])
        self.send(stream, [body])

    def answer(self, stream, fields, size, digest):
        what = fields[":path"].split("/")[1]
        event = b'event: message\ndata: {"n": %d}\n\n'
        sse = [(":status", "200"), ("content-type", "text/event-stream")]
        key = fields.get("x-api-key") or fields.get("x-lab-token") or fields.get("authorization", "")
        if what == "stream":
            self.h2.send_headers(stream, sse)
            self.send(stream, [piece for n in range(20) for piece in (event % n, 0.01)])
        elif what == "echo":
            self.h2.send_headers(stream, [(":status", "200"), ("content-type", "text/plain"), ("x-echo", key)])
            text = f"said: {key} and {key.encode().hex()}.".encode()
            self.send(stream, [text[start:start + 3] for start in range(0, len(text), 3)])
        elif what == "reset":
            self.h2.send_headers(stream, sse)
            self.h2.send_data(stream, b'data: {"message":{"usage":{"input_tokens":25,"output_tokens":1}}}\n\n')
            self.flush()
            time.sleep(0.2)
            self.h2.reset_stream(stream, 2)
        elif what == "die":
            self.h2.send_headers(stream, sse)
            self.h2.send_data(stream, b"data: 1\n\n")
            self.flush()
            time.sleep(0.2)
            self.sock.close()
        elif what == "big":
            self.h2.send_headers(stream, [(":status", "200"), ("content-type", "application/octet-stream")])
            self.send(stream, (bytes([n & 255]) * 65536 for n in range(16 * int(fields[":path"].split("/")[2]))))
        elif what in ("upload", "leaving"):
            self.hello(stream, json.dumps({"size": size, "sha256": digest}).encode())
        elif what == "short":
            self.raw(frame(1, 4, stream, literal((":status", "200"), ("content-length", "10"))), frame(0, 1, stream, b"12345"))
        elif what == "long":
            self.raw(frame(1, 4, stream, literal((":status", "200"), ("content-length", "3"))), frame(0, 1, stream, b"12345"))
        elif what == "lengths":
            self.raw(frame(1, 4, stream, literal((":status", "200"), ("content-length", "5"), ("content-length", "3"))),
                     frame(0, 1, stream, b"12345"))
        elif what == "chunked":
            self.raw(frame(1, 4, stream, literal((":status", "200"), ("transfer-encoding", "chunked"))),
                     frame(0, 1, stream, b"12345"))
        elif what == "encoded":
            self.raw(frame(1, 4, stream, literal((":status", "200"), ("content-encoding", "gzip"))), frame(0, 1, stream, b"12345"))
        elif what == "statusless":
            self.raw(frame(1, 4, stream, literal(("content-type", "text/plain"))), frame(0, 1, stream, b"12345"))
        elif what == "switching":
            self.raw(frame(1, 5, stream, literal((":status", "101"))))
        elif what == "huge":
            fields = literal((":status", "200"), *((f"x-{n}", "a" * 3000) for n in range(40)))
            self.blocks(stream, fields)
        elif what == "bomb":
            # An entry of 4 kB in the table, and two thousand references to it (RFC 7541 section 6.1).
            self.blocks(stream, literal((":status", "200")) + b"\x40\x01b" + length(4000) + b"a" * 4000 + b"\xbe" * 2000)
        elif what == "endless":
            self.raw(frame(1, 0, stream, literal((":status", "200"))))
            self.many(frame(9, 0, stream, literal(("x", "a" * 4000))), 3000)
        elif what == "pings":
            self.many(frame(6, 0, 0, bytes(8)), 5000)
        elif what == "settings":
            self.many(frame(4, 0, 0), 5000)
        elif what == "empty":
            self.raw(frame(1, 4, stream, literal((":status", "200"))))
            self.many(frame(0, 0, stream), 5000)
        elif what == "hints":
            self.many(frame(1, 4, stream, literal((":status", "103"), ("link", "</a>"))), 5000)
        elif what == "push":
            promised = literal((":method", "GET"), (":scheme", "https"), (":authority", "a"), (":path", "/x"))
            self.raw(frame(5, 4, stream, struct.pack(">I", 2) + promised))
        elif what == "garbage":
            self.raw(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        elif what == "between":
            self.raw(*(frame(1, 4, stream, literal((":status", status))) for status in ("100", "102", "103")))
            self.h2.send_headers(stream, [(":status", "200")] + JSON)
            self.send(stream, [HELLO], trailers=[("x-trailer", key)])
        elif what == "deaf":
            self.deaf = True
        elif what == "silent":
            pass
        elif what == "last":
            # Two steps, as servers do that end in order (RFC 9113 section 6.8).
            self.h2.send_headers(stream, sse)
            self.raw(frame(7, 0, 0, struct.pack(">II", 0x7fffffff, 0)), frame(7, 0, 0, struct.pack(">II", self.last, 0)))
            self.send(stream, [piece for n in range(20) for piece in (event % n, 0.01)])
        elif what == "empty-answer":
            self.h2.send_headers(stream, [(":status", "204")], end_stream=True)
        elif fields[":method"] == "HEAD":
            self.h2.send_headers(stream, [(":status", "200"), ("content-length", "1000")], end_stream=True)
        elif what in ("early", "refused", "stuck"):
            pass
        else:
            self.hello(stream)

    def blocks(self, stream, block):
        first, rest = block[:16000], block[16000:]
        frames = [frame(1, 0 if rest else 4, stream, first)]
        while rest:
            first, rest = rest[:16000], rest[16000:]
            frames.append(frame(9, 0 if rest else 4, stream, first))
        self.raw(*frames, frame(0, 1, stream, b"x"))

    def many(self, what, count):
        for _ in range(count // 100):
            self.raw(what * 100)


def serve(plain):
    try:
        sock = CONTEXT.wrap_socket(plain, server_side=True)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        Connection(sock).serve()
    except (OSError, h2.exceptions.ProtocolError):
        pass
    finally:
        plain.close()


CONTEXT = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
CONTEXT.load_cert_chain(CERTIFICATE)
CONTEXT.set_alpn_protocols(["h2"])
listener = socket.create_server(("127.0.0.1", 0), backlog=512)
print("ready", listener.getsockname()[1], flush=True)


def accept():
    while True:
        plain, _ = listener.accept()
        threading.Thread(target=serve, args=(plain,), daemon=True).start()


threading.Thread(target=accept, daemon=True).start()
sys.stdin.read()
