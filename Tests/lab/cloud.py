"""Clouds that lead to language models, in the lab: cloud.py PORT LOG

Speaks as much of Azure OpenAI, of Claude on Vertex AI and of Amazon Bedrock Runtime as their clients need, with and without
streaming, after https://learn.microsoft.com/azure/ai-services/openai/reference,
https://cloud.google.com/vertex-ai/generative-ai/docs/partner-models/claude/use-claude and
https://docs.aws.amazon.com/bedrock/latest/APIReference (InvokeModel, InvokeModelWithResponseStream, Converse, ConverseStream;
the frames: https://docs.aws.amazon.com/AmazonS3/latest/API/RESTSelectObjectAppendix.html). Every request is a line of JSON in
LOG. A model whose name has "error-STATUS" in it answers with that status, "cut" ends in the middle of its stream, all others
answer "hello". Prints "ready".
"""
import base64
import http.server
import json
import re
import struct
import sys
import threading
import urllib.parse
import zlib

LOCK = threading.Lock()


def frame(kind, content):
    """A message of an event stream: names and values of type 7, strings."""
    headers = b""
    for name, value in ((":event-type", kind), (":content-type", "application/json"), (":message-type", "event")):
        headers += bytes([len(name)]) + name.encode() + b"\x07" + struct.pack(">H", len(value)) + value.encode()
    body = json.dumps(content).encode()
    head = struct.pack(">II", 16 + len(headers) + len(body), len(headers))
    message = head + struct.pack(">I", zlib.crc32(head)) + headers + body
    return message + struct.pack(">I", zlib.crc32(message))


def claude(model):
    head = {"id": "msg_1", "type": "message", "role": "assistant", "model": model}
    whole = {**head, "content": [{"type": "text", "text": "hello"}], "stop_reason": "end_turn", "stop_sequence": None,
             "usage": {"input_tokens": 10, "output_tokens": 5}}
    events = [
        {"type": "message_start", "message": {**head, "content": [], "stop_reason": None, "stop_sequence": None,
                                              "usage": {"input_tokens": 10, "output_tokens": 1}}},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "hel"}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "lo"}},
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn", "stop_sequence": None}, "usage": {"output_tokens": 5}},
        {"type": "message_stop"},
    ]
    return whole, events


def chat(model):
    usage = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
    head = {"id": "chatcmpl-1", "created": 1, "model": model}
    whole = {**head, "object": "chat.completion", "usage": usage, "choices": [
        {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "hello"}}]}
    piece = {**head, "object": "chat.completion.chunk"}
    events = [{**piece, "choices": [{"index": 0, "delta": {"content": word}, "finish_reason": None}]} for word in ("hel", "lo")]
    events += [{**piece, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}, {**piece, "choices": [], "usage": usage}]
    return whole, events


def responses(model):
    item = {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "content": [
        {"type": "output_text", "text": "hello", "annotations": []}]}
    return {"id": "resp_1", "object": "response", "created_at": 1, "model": model, "status": "completed", "output": [item],
            "usage": {"input_tokens": 10, "input_tokens_details": {"cached_tokens": 0}, "output_tokens": 5,
                      "output_tokens_details": {"reasoning_tokens": 0}, "total_tokens": 15},
            "parallel_tool_calls": True, "tool_choice": "auto", "tools": []}


class Cloud(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "lab", ""

    def log_message(self, *_):
        pass

    def note(self, body):
        fields = {name.lower(): value for name, value in self.headers.items()}
        line = {"method": self.command, "path": self.path, "fields": fields, "body": body.decode("utf-8", "replace")}
        with LOCK, open(sys.argv[2], "a") as log:
            log.write(json.dumps(line) + "\n")

    def plain(self, document, status=200, fields=()):
        body = json.dumps(document).encode()
        self.send_response(status)
        for name, value in (("Content-Type", "application/json"), ("Content-Length", str(len(body))), *fields):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def stream(self, kind, pieces, model):
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for index, piece in enumerate(pieces):
            if "cut" in model and index == len(pieces) - 2:
                self.close_connection = True
                return
            self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
            self.wfile.flush()
        self.wfile.write(b"0\r\n\r\n")

    def events(self, events, model, named):
        lines = [(f"event: {event['type']}\n" if named else "") + f"data: {json.dumps(event)}\n\n" for event in events]
        if not named:
            lines.append("data: [DONE]\n\n")
        self.stream("text/event-stream", [line.encode() for line in lines], model)

    def do_GET(self):
        self.note(b"")
        self.plain({"object": "list", "data": [{"id": "gpt-lab", "object": "model"}]})

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.note(body)
        ask = json.loads(body)
        path = self.path.partition("?")[0]
        found = re.fullmatch(r"/openai/deployments/([^/]+)/chat/completions|/model/([^/]+)/([^/]+)"
                             r"|/v1/projects/[^/]+/locations/[^/]+/publishers/anthropic/models/([^/]+):(\w+)", path)
        groups = found.groups() if found else (None,) * 5
        model = urllib.parse.unquote(groups[0] or groups[1] or groups[3] or ask.get("model", ""))
        status = re.search(r"error-(\d+)", model)
        if status:
            words = f"the cloud says {status[1]}"
            error = {"error": {"message": words, "code": "429", "type": "x"}, "message": words}
            return self.plain(error, int(status[1]), [("x-amzn-ErrorType", "ThrottlingException"), ("Retry-After", "0")])
        if path.endswith(("/chat/completions",)):
            whole, events = chat(model)
            return self.events(events, model, False) if ask.get("stream") else self.plain(whole)
        if path.startswith("/openai/") and path.endswith("/responses"):
            return self.plain(responses(model))
        if groups[3]:
            if groups[3] == "count-tokens":
                return self.plain({"input_tokens": 10})
            whole, events = claude(model)
            return self.events(events, model, True) if groups[4] == "streamRawPredict" else self.plain(whole)
        if groups[2] == "invoke":
            return self.plain(claude(model)[0])
        if groups[2] == "invoke-with-response-stream":
            pieces = [frame("chunk", {"bytes": base64.b64encode(json.dumps(event).encode()).decode()}) for event in claude(model)[1]]
            return self.stream("application/vnd.amazon.eventstream", pieces, model)
        usage = {"inputTokens": 10, "outputTokens": 5, "totalTokens": 15}
        if groups[2] == "converse":
            return self.plain({"output": {"message": {"role": "assistant", "content": [{"text": "hello"}]}},
                               "stopReason": "end_turn", "usage": usage, "metrics": {"latencyMs": 1}})
        if groups[2] == "converse-stream":
            pieces = [frame("messageStart", {"role": "assistant"})]
            pieces += [frame("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": word}}) for word in ("hel", "lo")]
            pieces += [frame("contentBlockStop", {"contentBlockIndex": 0}), frame("messageStop", {"stopReason": "end_turn"}),
                       frame("metadata", {"usage": usage, "metrics": {"latencyMs": 1}})]
            return self.stream("application/vnd.amazon.eventstream", pieces, model)
        self.plain({"message": "no such call"}, 404)


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True


server = Server(("127.0.0.1", int(sys.argv[1])), Cloud)
print("ready", server.server_address[1], flush=True)
server.serve_forever()
