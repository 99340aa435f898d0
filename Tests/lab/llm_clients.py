"""The packages `anthropic` and `openai`, used inside a sandbox as their readers use them. Prints a line a call."""
import anthropic
import openai

ASK = [{"role": "user", "content": "say hello"}]
BASH = {"type": "object", "properties": {"command": {"type": "string"}}}


def tell(name, value):
    print(name, value, flush=True)


def refused(name, call):
    try:
        tell(name, call())
    except (anthropic.APIStatusError, openai.APIStatusError) as error:
        rule = error.response.json()["aibox"]["rule"]
        tell(name, f"{type(error).__name__} {error.status_code} {rule}")


def failed(name, call):
    """What the provider itself says, as its package tells it."""
    try:
        tell(name, call())
    except (anthropic.APIStatusError, openai.APIStatusError) as error:
        said = error.body.get("error", error.body)
        tell(name, f"{type(error).__name__} {error.status_code} {said['type']}: {said['message']}")


def cut(name, pieces):
    """A stream that breaks off: what came of it, and that its reader hears that it is not whole."""
    words = []
    try:
        for piece in pieces:
            words.append(piece)
        tell(name, f"{''.join(words)}, and whole")
    except Exception as error:  # Of the library below, which changes with the packages.
        tell(name, f"{''.join(words)}, then {type(error).__name__}")


claude = anthropic.Anthropic()
tell("anthropic plain", claude.messages.create(model="claude-lab", max_tokens=9, messages=ASK).content[0].text)
with claude.messages.stream(model="claude-lab", max_tokens=9, messages=ASK) as stream:
    tell("anthropic streamed", "".join(stream.text_stream))
tools = [{"name": "Bash", "input_schema": BASH}]
with claude.messages.stream(model="claude-tool", max_tokens=9, messages=ASK, tools=tools) as stream:
    tell("anthropic tool", stream.get_final_message().content[0].input["command"].split()[0])
tell("anthropic retried", claude.messages.create(model="claude-flaky", max_tokens=9, messages=ASK).content[0].text)
tell("anthropic tokens", claude.messages.count_tokens(model="claude-lab", messages=ASK).input_tokens)
tell("anthropic models", [model.id for model in claude.models.list()])
refused("anthropic model", lambda: claude.messages.create(model="other", max_tokens=9, messages=ASK))
refused("anthropic files", lambda: claude.beta.files.list())
foreign = anthropic.Anthropic(api_key="sk-ant-somebody-elses", max_retries=0)
refused("anthropic foreign key", lambda: foreign.messages.create(model="claude-lab", max_tokens=9, messages=ASK))
once = anthropic.Anthropic(max_retries=0).messages
for status in (400, 401, 429, 500, 529):
    failed(f"anthropic {status}", lambda: once.create(model=f"claude-error-{status}", max_tokens=9, messages=ASK))
for status in (429, 500, 529):
    text = claude.messages.create(model=f"claude-once-{status}", max_tokens=9, messages=ASK).content[0].text
    tell(f"anthropic {status} once", text)
with once.stream(model="claude-cut", max_tokens=9, messages=ASK) as stream:
    cut("anthropic cut", stream.text_stream)

gpt = openai.OpenAI()
chat = gpt.chat.completions
tell("openai plain", chat.create(model="gpt-lab", messages=ASK).choices[0].message.content)
pieces = chat.create(model="gpt-lab", messages=ASK, stream=True, stream_options={"include_usage": True})
tell("openai streamed", "".join(piece.choices[0].delta.content or "" for piece in pieces if piece.choices))
tell("openai responses", gpt.responses.create(model="gpt-lab", input="say hello").output_text)
tools = [{"type": "function", "name": "shell_command", "parameters": BASH}]
item = gpt.responses.create(model="gpt-tool", input="do it", tools=tools).output[0]
tell("openai tool", f"{item.type} {item.name}")
tell("openai retried", chat.create(model="gpt-flaky", messages=ASK).choices[0].message.content)
tell("openai models", [model.id for model in gpt.models.list()])
refused("openai model", lambda: chat.create(model="other", messages=ASK))
refused("openai files", lambda: gpt.files.list())
refused("openai account", lambda: openai.OpenAI(organization="org-other").models.list())
once = openai.OpenAI(max_retries=0)
for status in (400, 401, 429, 500):
    failed(f"openai {status}", lambda: once.chat.completions.create(model=f"gpt-error-{status}", messages=ASK))
failed("openai responses 429", lambda: once.responses.create(model="gpt-error-429", input="say hello"))
for status in (429, 500):
    text = chat.create(model=f"gpt-once-{status}", messages=ASK).choices[0].message.content
    tell(f"openai {status} once", text)
pieces = once.chat.completions.create(model="gpt-cut", messages=ASK, stream=True)
cut("openai cut", (piece.choices[0].delta.content or "" for piece in pieces if piece.choices))
while True:
    try:
        openai.OpenAI(max_retries=0).chat.completions.create(model="gpt-lab", messages=ASK)
    except openai.RateLimitError as error:
        tell("openai limit", f"{error.status_code} {error.response.headers.get('retry-after', '').isdigit()}")
        break
