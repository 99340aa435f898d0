"""Probes of the lab: each exits 0 if somebody answered, 1 if not. Bounded to three seconds.

probe.py tcp|tcp6 ADDRESS PORT      probe.py tcp-from SOURCE ADDRESS PORT
probe.py udp ADDRESS PORT           probe.py ping ADDRESS
probe.py serve PORT...              TCP and UDP echo on all addresses; prints "ready", ends with its input
"""

import socket
import struct
import sys
import threading


def tcp(family, address, port, source=None):
    with socket.socket(family, socket.SOCK_STREAM) as client:
        client.settimeout(3)
        if source:
            client.bind((source, 0))
        target = socket.getaddrinfo(address, port, family, socket.SOCK_STREAM)[0][4]
        client.connect(target)
        client.sendall(b"hello")
        return client.recv(5) == b"hello"


def udp(address, port):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(2)
        client.connect((address, port))
        client.send(b"hello")
        return client.recv(5) == b"hello"


def ping(address):
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP) as client:
        client.settimeout(2)
        packet = struct.pack("!BBHHH", 8, 0, 0, 7, 1)
        total = sum(struct.unpack("!4H", packet))
        total = (total & 0xFFFF) + (total >> 16)
        client.sendto(struct.pack("!BBHHH", 8, 0, ~total & 0xFFFF, 7, 1), (address, 0))
        while True:
            answer, _ = client.recvfrom(2048)
            kind = answer[(answer[0] & 15) * 4]
            if kind == 0:
                return True
            if kind == 3:
                return False


def serve(ports):
    def stream(listener):
        while True:
            connection, _ = listener.accept()
            with connection:
                connection.settimeout(3)
                try:
                    connection.sendall(connection.recv(64))
                except OSError:
                    pass

    def datagrams(listener):
        while True:
            data, peer = listener.recvfrom(64)
            listener.sendto(data, peer)

    for port in ports:
        listener = socket.create_server(("", port), family=socket.AF_INET6, dualstack_ipv6=True)
        other = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        other.bind(("", port))
        threading.Thread(target=stream, args=(listener,), daemon=True).start()
        threading.Thread(target=datagrams, args=(other,), daemon=True).start()
    print("ready", flush=True)
    sys.stdin.read()


def main():
    kind, *rest = sys.argv[1:]
    if kind == "serve":
        serve([int(port) for port in rest])
        return True
    if kind == "tcp":
        return tcp(socket.AF_INET, rest[0], int(rest[1]))
    if kind == "tcp6":
        return tcp(socket.AF_INET6, rest[0], int(rest[1]))
    if kind == "tcp-from":
        return tcp(socket.AF_INET, rest[1], int(rest[2]), rest[0])
    if kind == "udp":
        return udp(rest[0], int(rest[1]))
    return ping(rest[0])


try:
    sys.exit(0 if main() else 1)
except OSError as error:
    print(error, file=sys.stderr)
    sys.exit(1)
