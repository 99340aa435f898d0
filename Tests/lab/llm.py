"""A provider of language models in the lab: llm.py PORT LOG

Speaks as much of Anthropic Messages, OpenAI Chat Completions and OpenAI Responses as their clients need, with and without
streaming. Every request is a line of JSON in LOG: method, path, fields in lower case, body. The model's name says what
comes back ("denied", "plain", "fetch", "write", "edit" and "patch" are tools that a policy may refuse, "mcp_SERVER_TOOL" is one of an MCP server's): "echo" gives the key back in header and body, "slow" waits between events, "tool" asks for one command first,
"flaky" fails the first time, "error-STATUS" always and "once-STATUS" the first time with that status and the words of the API that was
asked, "cut" breaks its stream off in the middle, "longN" says its word N times, everything else answers "hello". git is asked for
a password. Prints "ready".
"""
import http.server
import json
import re
import sys
import threading
import time

COMMAND = "echo made-by-the-agent > /tmp/agent.txt; cat /tmp/agent.txt"
DENIED = "echo tried > /tmp/tried.txt; A=b curl http://example.org/"
# One that an agent's own rules about commands can take apart.
PLAIN = "curl http://127.0.0.1:9/"
PATCH = "*** Begin Patch\n*** Add File: made-by-patch.txt\n+made-by-the-agent\n*** End Patch\n"
# What each API says with a status: https://docs.anthropic.com/en/api/errors, https://platform.openai.com/docs/guides/error-codes
ERRORS = {
    400: ("invalid_request_error", "invalid_request_error"), 401: ("authentication_error", "invalid_api_key"),
    429: ("rate_limit_error", "rate_limit_exceeded"), 500: ("api_error", "server_error"), 529: ("overloaded_error", "server_error"),
}
LOCK = threading.Lock()
FAILED = set()


class Provider(http.server.BaseHTTPRequestHandler):
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
        self.send_header("Content-Type", "application/json")
        for name, value in fields:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def fail(self, status):
        anthropic, openai = ERRORS[status]
        words = f"the provider says {status}"
        fields = [("Retry-After", "0")] if status in (429, 529) else []
        if self.path.startswith("/v1/messages"):
            document = {"type": "error", "error": {"type": anthropic, "message": words}, "request_id": "req_1"}
        else:
            document = {"error": {"type": openai, "code": openai, "message": words, "param": None}}
        self.plain(document, status, fields)

    def do_GET(self):
        self.note(b"")
        if "/info/refs" in self.path and "Authorization" not in self.headers:
            return self.plain({}, 401, [("WWW-Authenticate", 'Basic realm="lab"')])
        self.plain({"object": "list", "has_more": False, "data": [{"id": "claude-lab", "type": "model", "object": "model"}]})

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.note(body)
        ask = json.loads(body)
        model = ask.get("model", "")
        if "echo" in model:
            key = self.headers.get("x-api-key") or self.headers.get("Authorization", "").removeprefix("Bearer ")
            return self.plain({"echo": [key, key.encode().hex()]}, 401, [("X-Echo", key)])
        if "flaky" in model and (self.path, model) not in FAILED:
            FAILED.add((self.path, model))
            return self.plain({"error": {"type": "overloaded_error", "message": "later"}}, 503, [("Retry-After", "0")])
        kind, _, status = model.partition("-")[2].partition("-")
        if kind == "error" or (kind == "once" and (self.path, model) not in FAILED):
            FAILED.add((self.path, model))
            return self.fail(int(status))
        if self.path.partition("?")[0].endswith(("count_tokens", "input_tokens")):
            return self.plain({"input_tokens": 10})
        answer = {"/v1/messages": messages, "/v1/chat/completions": chat, "/v1/responses": responses}.get(
            self.path.partition("?")[0])
        if answer is None:
            return self.plain({"error": {"message": "no such call"}}, 404)
        whole, events = answer(ask)
        if not ask.get("stream"):
            return self.plain(whole)
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for index, (name, data) in enumerate(events):
            if "cut" in model and index == len(events) - 1:
                self.close_connection = True
                return
            text = (f"event: {name}\n" if name else "") + f"data: {data if isinstance(data, str) else json.dumps(data)}\n\n"
            self.wfile.write(b"%x\r\n%s\r\n" % (len(text.encode()), text.encode()))
            self.wfile.flush()
            if "slow" in model:
                time.sleep(0.3)
        self.wfile.write(b"0\r\n\r\n")


def tool_results(ask):
    for message in ask.get("messages", []):
        content = message.get("content")
        for part in content if isinstance(content, list) else []:
            if part.get("type") == "tool_result":
                yield part


def messages(ask):
    """https://docs.anthropic.com/en/api/messages, and messages-streaming"""
    usage = {"input_tokens": 10, "output_tokens": 5}
    names = [tool.get("name") for tool in ask.get("tools", [])]
    results = list(tool_results(ask))
    head = {"id": "msg_1", "type": "message", "role": "assistant", "model": ask["model"]}
    if "tool" in ask["model"] and "Bash" in names and not results:
        name, call = "Bash", {"command": COMMAND, "description": "write a file"}
        if "denied" in ask["model"]:
            call["command"] = DENIED
        if "fetch" in ask["model"]:
            name, call = "WebFetch", {"url": "https://example.org/", "prompt": "what does it say"}
        if "write" in ask["model"]:
            name, call = "Write", {"file_path": "/workspace/made-by-write.txt", "content": "made-by-the-agent"}
        if "edit" in ask["model"]:
            # An edit of nothing makes the file.
            name, call = "Edit", {"file_path": "/workspace/made-by-edit.txt", "old_string": "", "new_string": "made-by-the-agent"}
        if "mcp_" in ask["model"]:
            name, call = "mcp__" + ask["model"].split("mcp_")[1].replace("_", "__"), {"text": "a"}
        block, delta = {"type": "tool_use", "id": "toolu_1", "name": name, "input": {}}, {
            "type": "input_json_delta", "partial_json": json.dumps(call)}
        whole, reason = [{**block, "input": call}], "tool_use"
    else:
        text = "result: " + json.dumps(results[-1].get("content")) if results else "hello"
        block, delta = {"type": "text", "text": ""}, {"type": "text_delta", "text": text}
        whole, reason = [{"type": "text", "text": text}], "end_turn"
    times = int((re.search(r"long(\d+)", ask["model"]) or [0, 1])[1])
    events = [
        {"type": "message_start", "message": {**head, "content": [], "stop_reason": None, "stop_sequence": None, "usage": {
            "input_tokens": 10, "output_tokens": 1}}},
        {"type": "content_block_start", "index": 0, "content_block": block},
        *[{"type": "content_block_delta", "index": 0, "delta": delta}] * times,
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": reason, "stop_sequence": None}, "usage": {"output_tokens": 5}},
        {"type": "message_stop"},
    ]
    return ({**head, "content": whole, "stop_reason": reason, "stop_sequence": None, "usage": usage},
            [(event["type"], event) for event in events])


def chat(ask):
    """https://platform.openai.com/docs/api-reference/chat"""
    usage = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
    head = {"id": "chatcmpl-1", "created": 1, "model": ask["model"]}
    whole = {**head, "object": "chat.completion", "usage": usage, "choices": [
        {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "hello"}}]}
    piece = {**head, "object": "chat.completion.chunk"}
    events = [(None, {**piece, "choices": [{"index": 0, "delta": {"content": word}, "finish_reason": None}]})
              for word in ("hel", "lo")]
    events.append((None, {**piece, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}))
    if ask.get("stream_options", {}).get("include_usage"):
        events.append((None, {**piece, "choices": [], "usage": usage}))
    return whole, events + [(None, "[DONE]")]


def responses(ask):
    """https://platform.openai.com/docs/api-reference/responses"""
    usage = {"input_tokens": 10, "input_tokens_details": {"cached_tokens": 0}, "output_tokens": 5,
             "output_tokens_details": {"reasoning_tokens": 0}, "total_tokens": 15}
    results = [item for item in ask["input"] if isinstance(item, dict) and item.get("type", "").endswith("_call_output")]
    names = [tool.get("name") for tool in ask.get("tools", [])]
    shell = next((name for name in ("exec_command", "shell_command", "shell") if name in names), None)
    if "tool" in ask["model"] and "patch" in ask["model"] and "apply_patch" in names and not results:
        item = {"type": "custom_tool_call", "id": "ctc_1", "call_id": "call_1", "status": "completed", "name": "apply_patch",
                "input": PATCH}
    elif "tool" in ask["model"] and "mcp_" in ask["model"] and not results:
        server, tool = ask["model"].split("mcp_")[1].split("_")
        item = {"type": "function_call", "id": "fc_1", "call_id": "call_1", "status": "completed", "name": tool,
                "namespace": "mcp__" + server, "arguments": json.dumps({"text": "a"})}
    elif "tool" in ask["model"] and shell and not results:
        line = DENIED if "denied" in ask["model"] else PLAIN if "plain" in ask["model"] else COMMAND
        call = {"exec_command": {"cmd": line}, "shell_command": {"command": line}, "shell": {"command": ["sh", "-c", line]}}
        item = {"type": "function_call", "id": "fc_1", "call_id": "call_1", "status": "completed", "name": shell,
                "arguments": json.dumps(call[shell])}
    else:
        text = "result: " + json.dumps(results[-1].get("output")) if results else "hello"
        item = {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "content": [
            {"type": "output_text", "text": text, "annotations": []}]}
    whole = {"id": "resp_1", "object": "response", "created_at": 1, "model": ask["model"], "status": "completed",
             "output": [item], "usage": usage, "parallel_tool_calls": True, "tool_choice": "auto", "tools": []}
    events = [
        {"type": "response.created", "sequence_number": 0, "response": {**whole, "status": "in_progress", "output": [], "usage": None}},
        {"type": "response.output_item.done", "sequence_number": 1, "output_index": 0, "item": item},
        {"type": "response.completed", "sequence_number": 2, "response": whole},
    ]
    return whole, [(event["type"], event) for event in events]


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 512


server = Server(("127.0.0.1", int(sys.argv[1])), Provider)
print("ready", server.server_address[1], flush=True)
server.serve_forever()
