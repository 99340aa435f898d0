"""An MCP server of the lab over standard input and output: mcp_server.py NAME

Has the tools `note` and `wipe`; each call is a line in /tmp/mcp-NAME.txt (modelcontextprotocol.io, specification 2025-06-18,
transports "stdio" and server features "tools").
"""
import json
import sys

NAME = sys.argv[1]
TOOLS = [{"name": name, "description": name, "inputSchema": {"type": "object", "properties": {"text": {"type": "string"}}}} for name in ("note", "wipe")]

for line in sys.stdin:
    ask = json.loads(line)
    if "id" not in ask:
        continue
    method, given = ask["method"], ask.get("params", {})
    if method == "initialize":
        result = {"protocolVersion": given["protocolVersion"], "capabilities": {"tools": {}}, "serverInfo": {"name": NAME, "version": "1"}}
    elif method == "tools/list":
        result = {"tools": TOOLS}
    elif method == "tools/call":
        with open(f"/tmp/mcp-{NAME}.txt", "a") as file:
            file.write(given["name"] + "\n")
        result = {"content": [{"type": "text", "text": f"{NAME} did {given['name']}"}]}
    else:
        print(json.dumps({"jsonrpc": "2.0", "id": ask["id"], "error": {"code": -32601, "message": "no such method"}}), flush=True)
        continue
    print(json.dumps({"jsonrpc": "2.0", "id": ask["id"], "result": result}), flush=True)
