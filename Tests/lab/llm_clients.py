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
while True:
    try:
        openai.OpenAI(max_retries=0).chat.completions.create(model="gpt-lab", messages=ASK)
    except openai.RateLimitError as error:
        tell("openai limit", f"{error.status_code} {error.response.headers.get('retry-after', '').isdigit()}")
        break
