"""The LLM proxy as its gateway starts it, for programs that load and measure it."""

import contextlib
import json
import os
import pathlib
import socket
import subprocess
import threading

KEY, SURROGATE = "sk-lab-real-key-0123456789", "sk-ant-aibox-lab-0123456789abcdef"


class Running:
    def __init__(self, port, process, folder):
        self.port, self.process, self.folder = port, process, pathlib.Path(folder)

    @property
    def pid(self):
        return self.process.pid

    def memory(self, name="VmHWM"):
        """Megabytes of 1,000,000 bytes: VmHWM is the most it ever had, VmRSS what it has now."""
        text = pathlib.Path(f"/proc/{self.pid}/status").read_text()
        return int(next(line.split()[1] for line in text.splitlines() if line.startswith(name))) * 1024 / 1e6

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def events(self, kind):
        """Of the audit log, in order."""
        found = []
        for file in sorted((self.folder / "audit").glob("*.jsonl")):
            for line in file.read_text().splitlines():
                if f'"{kind}"' in line and json.loads(line).get("type") == kind:
                    found.append(json.loads(line))
        return found


@contextlib.contextmanager
def proxy(program, folder, upstream, **limits):
    """- program: aibox-llm-proxy. - upstream: the port of a provider on 127.0.0.1. - limits: of the plan, by their names there."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=2048)
    port = listener.getsockname()[1]
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    high = [os.dup2(fd, number) for fd, number in ((theirs.fileno(), 200), (listener.fileno(), 201))]
    process = subprocess.Popen(["bash", "-c", 'exec "$0" serve 3<&200 4<&201 200<&- 201<&-', program], pass_fds=high)
    for fd in high:
        os.close(fd)
    theirs.close()
    listener.close()
    grant = {"name": "lab", "api": "anthropic", "surrogate": SURROGATE, "secret": KEY, "base": f"http://127.0.0.1:{upstream}"}
    audit = {"folder": f"{folder}/audit", "checkpoints": f"{folder}/checkpoints", "session": "lab", "policy": "", "marksGaps": False}
    plan = {"grants": [grant], "places": [], "models": ["*"], "limits": {"spent": 0} | limits, "layer": "org", "digests": False,
            "targets": ["127.0.0.1/32"], "names": [], "authorities": []}
    ours.send(json.dumps({"version": 1, "begin": {
        "sandbox": "lab", "user": "lab", "audit": audit, "authorities": [f"127.0.0.1:{port}"], "plan": plan}}).encode())
    said = json.loads(ours.recv(65536))
    if said != {"serving": True}:
        raise SystemExit(said)

    def answer():
        """As the gateway: counts of tokens are taken, the one kind of request there is may go on."""
        for said in iter(lambda: ours.recv(65536), b""):
            ask = json.loads(said).get("ask")
            if ask is not None:
                ours.send(json.dumps({"version": 1, "answer": ask, "ruling": {"allowed": True, "rule": "", "layer": "", "reason": ""}}).encode())

    threading.Thread(target=answer, daemon=True).start()
    try:
        yield Running(port, process, folder)
    finally:
        ours.shutdown(socket.SHUT_RDWR)
        process.wait()
