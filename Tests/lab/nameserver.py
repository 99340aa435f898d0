"""A name server of the lab that answers from a table and writes down every question.

Usage: nameserver.py CONFIG.json   (prints "ready", serves until standard input ends)

CONFIG: {"addresses": [...], "port": 53, "log": "queries.jsonl", "ttl": 0,
         "names": {"allowed.test": [["198.51.100.10"]], "rebind.test": [["198.51.100.10"], ["127.0.0.1"]]}}

Each name has a list of answers; one question takes one, the last is repeated. Unknown names get
NXDOMAIN. Addresses only (A, AAAA); other types of a known name get an empty answer.
"""

import ipaddress
import json
import socket
import struct
import sys
import threading

CONFIG = json.load(open(sys.argv[1]))
LOG = open(CONFIG["log"], "a", buffering=1)
LOCK = threading.Lock()
TURN = {}


def question(packet):
    labels, index = [], 12
    while packet[index]:
        size = packet[index]
        if size > 63:
            raise ValueError("compressed question")
        labels.append(packet[index + 1 : index + 1 + size])
        index += 1 + size
    kind, _ = struct.unpack("!HH", packet[index + 1 : index + 5])
    return b".".join(labels).decode("latin-1").lower(), kind, packet[12 : index + 5]


def answer(packet, transport):
    name, kind, section = question(packet)
    with LOCK:
        LOG.write(json.dumps({"name": name, "type": kind, "transport": transport}) + "\n")
        turns = CONFIG["names"].get(name)
        addresses = []
        if turns is not None:
            wanted = {1: 4, 28: 6}.get(kind)
            turn = TURN.get((name, kind), 0)
            TURN[(name, kind)] = turn + 1
            chosen = [ipaddress.ip_address(text) for text in turns[min(turn, len(turns) - 1)]]
            addresses = [address for address in chosen if address.version == wanted]
    code = 0 if turns is not None else 3
    head = packet[:2] + struct.pack("!HHHHH", 0x8580 | code, 1, len(addresses), 0, 0)
    records = b""
    for address in addresses:
        record_type = 1 if address.version == 4 else 28
        size = len(address.packed)
        records += struct.pack("!HHHIH", 0xC00C, record_type, 1, CONFIG.get("ttl", 0), size) + address.packed
    return head + section + records


def datagrams(listener):
    while True:
        packet, peer = listener.recvfrom(4096)
        try:
            listener.sendto(answer(packet, "udp"), peer)
        except (IndexError, ValueError, struct.error):
            pass


def streams(listener):
    while True:
        connection, _ = listener.accept()
        with connection:
            connection.settimeout(5)
            try:
                size = struct.unpack("!H", connection.recv(2))[0]
                reply = answer(connection.recv(size), "tcp")
                connection.sendall(struct.pack("!H", len(reply)) + reply)
            except (OSError, IndexError, ValueError, struct.error):
                pass


def main():
    port = CONFIG.get("port", 53)
    for address in CONFIG["addresses"]:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        udp = socket.socket(family, socket.SOCK_DGRAM)
        udp.bind((address, port))
        tcp = socket.socket(family, socket.SOCK_STREAM)
        tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        tcp.bind((address, port))
        tcp.listen(64)
        threading.Thread(target=datagrams, args=(udp,), daemon=True).start()
        threading.Thread(target=streams, args=(tcp,), daemon=True).start()
    print("ready", flush=True)
    sys.stdin.read()


main()
