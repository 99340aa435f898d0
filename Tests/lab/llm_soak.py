"""A day of an LLM proxy in minutes.

Usage: llm_soak.py PROXY SECONDS STREAMS   (prints one JSON object: what was seen)

1. STREAMS event streams open at a time, held open until all have begun, then finished: each has to come byte for byte.
2. For SECONDS, 100 clients that do everything at once: whole answers, streams, streams that the provider cuts or resets, answers in
   an encoding that nobody asked for, clients that leave in the middle, heads that come byte by byte and end, 100 MB that are
   announced or sent in chunks, malformed chunks, requests in requests.
3. A limit of 300 requests a minute met by 1,200: exactly 300 pass.
Memory, descriptors and the audit log are looked at after each.
"""

import asyncio
import collections
import contextlib
import json
import multiprocessing
import random
import resource
import socket
import struct
import sys
import tempfile
import time

from llm_proxy import KEY, SURROGATE, proxy

resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
PROXY, SECONDS, STREAMS = sys.argv[1], float(sys.argv[2]), int(sys.argv[3])
USAGE = {"input_tokens": 11, "output_tokens": 7}


def event(kind, **fields):
    return b"event: %s\ndata: %s\n\n" % (kind.encode(), json.dumps({"type": kind} | fields).encode())


def chunk(data):
    return b"%x\r\n%s\r\n" % (len(data), data)


def parts(number):
    """What a stream says."""
    yield event("message_start", message={"usage": USAGE | {"output_tokens": 1}})
    for at in range(8):
        yield event("content_block_delta", delta={"type": "text_delta", "text": f"part {at} of {number} " + "z" * (number % 700)})
    yield event("message_delta", usage={"output_tokens": USAGE["output_tokens"]})
    yield event("message_stop")


# The provider, a process of its own.


class Provider:
    def __init__(self):
        self.held = asyncio.Event()
        self.count = collections.Counter()

    async def serve(self, reader, writer):
        try:
            while await self.one(reader, writer):
                pass
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def one(self, reader, writer):
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        length = next(int(line.split(":")[1]) for line in head.split("\r\n") if line.lower().startswith("content-length"))
        body = json.loads(await reader.readexactly(length))
        kind = body["model"].removeprefix("soak-")
        if head.startswith("POST /v1/messages/count_tokens"):
            # Not the sandbox's: what the load has to know.
            kind = "count"
        self.count[kind] += 1
        if KEY not in head or SURROGATE in head:
            self.count["wrong key"] += 1
        if kind in ("whole", "count"):
            text = json.dumps({"content": [{"type": "text", "text": "w" * 600}], "usage": USAGE}).encode()
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(text), text))
            await writer.drain()
            return True
        if kind == "gzip":
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\nContent-Length: 20\r\n\r\n" + bytes(20))
            await writer.drain()
            return True
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
        for at, part in enumerate(parts(body["max_tokens"])):
            writer.write(chunk(part))
            await writer.drain()
            if kind == "held" and at == 0:
                self.count["holding"] += 1
                await self.held.wait()
            if kind == "cut" and at == 3:
                return False
            if kind == "reset" and at == 3:
                writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                writer.transport.abort()
                return False
            if kind == "left":
                await asyncio.sleep(0.01)
        writer.write(b"0\r\n\r\n")
        await writer.drain()
        return True


def provide(pipe):
    async def main():
        provider = Provider()
        server = await asyncio.start_server(provider.serve, "127.0.0.1", 0, backlog=2048)
        pipe.send(server.sockets[0].getsockname()[1])
        loop = asyncio.get_running_loop()
        ending = loop.create_future()

        def asked():
            what = pipe.recv()
            if what == "release":
                provider.held.set()
            elif what == "end":
                ending.set_result(None)
            else:
                pipe.send(dict(provider.count))

        loop.add_reader(pipe.fileno(), asked)
        await ending

    asyncio.run(main())


# The sandbox.


def request(kind, number=0):
    body = json.dumps({"model": f"soak-{kind}", "max_tokens": number or 16, "stream": kind not in ("whole", "gzip"), "messages": []}).encode()
    return (b"POST /v1/messages HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nx-api-key: %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
            % (port, SURROGATE.encode(), len(body), body))


async def answer(reader):
    """Status and content; None in place of what was cut short."""
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        status = int(head.split(" ")[1])
        if "chunked" in head:
            content = b""
            while True:
                size = int(await reader.readuntil(b"\r\n"), 16)
                content += (await reader.readexactly(size + 2))[:-2]
                if size == 0:
                    return status, content
        length = next(int(line.split(":")[1]) for line in head.split("\r\n") if line.startswith("content-length"))
        content = await reader.readexactly(length)
        if "connection: close" in head:
            reader.feed_eof()
        return status, content
    except (OSError, asyncio.IncompleteReadError):
        return None, None


async def held(number, seen):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request("held", number))
    status, content = await answer(reader)
    seen["exact" if (status, content) == (200, b"".join(parts(number))) else "broken"] += 1
    writer.close()


async def misuse(kind, reader, writer):
    host = b"Host: 127.0.0.1:%d\r\nx-api-key: %s\r\n" % (port, SURROGATE.encode())
    if kind == "drip":
        for byte in request("whole")[: random.randrange(1, 80)]:
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(0.001)
        return "left"
    if kind == "announced":
        writer.write(b"POST /v1/messages HTTP/1.1\r\n" + host + b"Content-Length: 104857600\r\n\r\n")
    elif kind == "chunked":
        writer.write(b"POST /v1/messages HTTP/1.1\r\n" + host + b"Transfer-Encoding: chunked\r\n\r\n")
        with_block = chunk(bytes(1 << 20))
        for _ in range(40):
            writer.write(with_block)
            await writer.drain()
    elif kind == "malformed":
        writer.write(b"POST /v1/messages HTTP/1.1\r\n" + host + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n")
    elif kind == "smuggled":
        writer.write(b"POST /v1/messages HTTP/1.1\r\n" + host + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + request("whole"))
    await writer.drain()
    status, _ = await answer(reader)
    return f"{kind} {status}"


async def client(end, seen):
    """One connection after the other, until the time is over."""
    while time.monotonic() < end:
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            for _ in range(random.randrange(1, 20)):
                kind = random.choices(
                    ["whole", "stream", "cut", "reset", "gzip", "left", "drip", "announced", "chunked", "malformed", "smuggled"],
                    [50, 20, 4, 4, 4, 4, 4, 2, 0.3, 4, 4])[0]
                if kind in ("whole", "stream", "cut", "reset", "gzip"):
                    number = random.randrange(1, 2000)
                    writer.write(request(kind, number))
                    status, content = await answer(reader)
                    if kind == "stream" and content != b"".join(parts(number)):
                        seen["stream broken"] += 1
                    seen[f"{kind} {status if content is not None else 'cut'}"] += 1
                    if status is None or reader.at_eof():
                        break
                elif kind == "left":
                    writer.write(request("left", 100))
                    await reader.readuntil(b"\n\n")
                    seen["left"] += 1
                    break
                else:
                    seen[await misuse(kind, reader, writer)] += 1
                    break
            writer.transport.abort()
        except (OSError, asyncio.IncompleteReadError):
            seen["connection lost"] += 1


async def flood(count, seen):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for _ in range(count):
        writer.write(request("whole"))
        status, _ = await answer(reader)
        seen[str(status)] += 1
        if status is None:
            break
    writer.close()


def stand(running):
    """Thousands of bytes, and descriptors."""
    return {"memory": round(running.memory("VmRSS") * 1000), "most_memory": round(running.memory() * 1000), "descriptors": running.descriptors()}


def settled(running, descriptors):
    """Connections end a moment after their clients."""
    for _ in range(300):
        if running.descriptors() <= descriptors:
            break
        time.sleep(0.1)
    return stand(running)


def balance(running, count):
    """What the log says beside what the provider saw."""
    asked = [event for event in running.events("llm.request") if event["outcome"] == "allowed"]
    answered = running.events("llm.response")
    known = {event["details"]["request"] for event in answered if "request" in event["details"]}
    tokens = sum(event["details"].get("input_tokens", 0) + event["details"].get("output_tokens", 0) for event in answered)
    return {"asked": len(asked), "answered": len(answered), "named": len(known), "provider": count, "tokens": tokens}


async def main():
    global port
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.Process(target=provide, args=(theirs,), daemon=True)
    process.start()
    upstream = ours.recv()

    def counted():
        ours.send("count")
        return collections.Counter(ours.recv())

    said = {}
    with tempfile.TemporaryDirectory(prefix="aibox-soak") as folder:
        with proxy(PROXY, folder, upstream) as running:
            port = running.port
            warm = collections.Counter()
            await flood(10, warm)
            start = stand(running)
            seen = collections.Counter()
            streams = [asyncio.create_task(held(number, seen)) for number in range(1, STREAMS + 1)]
            for _ in range(600):
                await asyncio.sleep(0.1)
                if counted()["holding"] == STREAMS:
                    break
            said["start"] = start
            said["open"] = counted()["holding"]
            said["while open"] = stand(running)
            ours.send("release")
            await asyncio.gather(*streams)
            said["streams"] = dict(seen)
            said["after streams"] = await asyncio.to_thread(settled, running, start["descriptors"] + 70)
            # From here on the most is counted anew (proc(5)), where one may.
            with contextlib.suppress(OSError), open(f"/proc/{running.pid}/clear_refs", "w") as refs:
                refs.write("5")
            seen = collections.Counter()
            half = time.monotonic() + SECONDS / 2
            await asyncio.gather(*[client(half, seen) for _ in range(100)])
            said["half"] = stand(running)
            end = time.monotonic() + SECONDS / 2
            await asyncio.gather(*[client(end, seen) for _ in range(100)])
            said["mixed"] = dict(sorted(seen.items()))
            said["end"] = await asyncio.to_thread(settled, running, start["descriptors"] + 70)
            count = counted()
            said["wrong key"] = count.pop("wrong key", 0)
            count.pop("holding", None)
            requests = sum(count.values())
            for _ in range(100):
                said["log"] = balance(running, requests)
                if said["log"]["answered"] >= requests:
                    break
                await asyncio.sleep(0.1)
            said["alive"] = running.process.poll() is None
    with tempfile.TemporaryDirectory(prefix="aibox-soak") as folder:
        with proxy(PROXY, folder, upstream, requestsPerMinute=300) as running:
            port = running.port
            before = counted()["whole"]
            seen = collections.Counter()
            begin = time.monotonic()
            await asyncio.gather(*[flood(40, seen) for _ in range(30)])
            said["limit"] = dict(seen) | {"provider": counted()["whole"] - before, "seconds": round(time.monotonic() - begin, 1)}
    ours.send("end")
    print(json.dumps(said))


port = 0
if __name__ == "__main__":
    asyncio.run(main())
