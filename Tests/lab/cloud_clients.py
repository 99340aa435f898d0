"""The packages of clouds, used inside a sandbox as their readers use them: cloud_clients.py azure|bedrock|vertex. A line a call."""
import json
import os
import sys

ASK = [{"role": "user", "content": "say hello"}]


def tell(name, call):
    try:
        print(name, call(), flush=True)
    except Exception as error:  # Of the packages: each has its own.
        response = getattr(error, "response", None)
        if isinstance(response, dict):  # boto3
            print(name, response["Error"]["Code"], response["Error"]["Message"].partition(":")[0], flush=True)
        elif response is not None:
            rule = response.json().get("aibox", {}).get("rule", "the cloud's own")
            print(name, type(error).__name__, error.status_code, rule, flush=True)
        else:
            print(name, type(error).__name__, flush=True)


def claude(client, more):
    def stream(model):
        with client.messages.stream(model=model, max_tokens=9, messages=ASK) as stream:
            return "".join(stream.text_stream)

    def plain(model):
        return client.messages.create(model=model, max_tokens=9, messages=ASK).content[0].text

    tell("plain", lambda: plain("claude-lab" + more))
    tell("streamed", lambda: stream("claude-lab" + more))
    tell("model", lambda: plain("other"))
    tell("dots", lambda: plain("claude-/../../x"))
    tell("429", lambda: plain("claude-error-429"))
    tell("cut", lambda: stream("claude-cut"))


if sys.argv[1] == "azure":
    import openai

    client = openai.AzureOpenAI(max_retries=0)
    chat = client.chat.completions
    tell("plain", lambda: chat.create(model="gpt-lab", messages=ASK).choices[0].message.content)
    tell("streamed", lambda: "".join(
        piece.choices[0].delta.content or "" for piece in chat.create(model="gpt-lab", messages=ASK, stream=True) if piece.choices))
    tell("responses", lambda: client.responses.create(model="gpt-lab", input="say hello").output_text)
    tell("models", lambda: [model.id for model in client.models.list()])
    tell("model", lambda: chat.create(model="other", messages=ASK))
    tell("files", lambda: client.files.list())
    tell("429", lambda: chat.create(model="gpt-error-429", messages=ASK))
    tell("foreign", lambda: openai.AzureOpenAI(api_key="somebody-elses", max_retries=0).chat.completions.create(
        model="gpt-lab", messages=ASK))
    tell("version 1", lambda: openai.OpenAI().responses.create(model="gpt-lab", input="say hello").output_text)
elif sys.argv[1] == "vertex":
    import anthropic

    key = os.environ["AIBOX_LLM_API_KEY"]
    client = anthropic.AnthropicVertex(access_token=key, max_retries=0)
    claude(client, "@20250514")
    tell("tokens", lambda: client.messages.count_tokens(model="claude-lab", messages=ASK).input_tokens)
    thief = anthropic.AnthropicVertex(access_token=key, project_id="thief", max_retries=0)
    tell("project", lambda: thief.messages.create(model="claude-lab", max_tokens=9, messages=ASK))
    foreign = anthropic.AnthropicVertex(access_token="ya29.somebody-elses", max_retries=0)
    tell("foreign", lambda: foreign.messages.create(model="claude-lab", max_tokens=9, messages=ASK))
else:
    import anthropic
    import boto3
    import botocore
    import botocore.config

    claude(anthropic.AnthropicBedrock(max_retries=0), "-v1:0")
    once = botocore.config.Config(retries={"max_attempts": 1, "mode": "standard"})
    # botocore shows a Bearer token over TLS alone: it is left unsigned, and the field added.
    runtime = boto3.client("bedrock-runtime", config=once.merge(botocore.config.Config(signature_version=botocore.UNSIGNED)))
    bearer = "Bearer " + os.environ["AWS_BEARER_TOKEN_BEDROCK"]
    runtime.meta.events.register("before-sign.bedrock-runtime", lambda request, **_: request.headers.add_header("Authorization", bearer))
    ask = [{"role": "user", "content": [{"text": "say hello"}]}]
    limit = {"maxTokens": 9}

    def words(stream):
        return "".join(event["contentBlockDelta"]["delta"]["text"] for event in stream if "contentBlockDelta" in event)

    tell("converse", lambda: runtime.converse(modelId="claude-lab:0", messages=ask, inferenceConfig=limit)[
        "output"]["message"]["content"][0]["text"])
    tell("converse streamed", lambda: words(runtime.converse_stream(
        modelId="claude-lab:0", messages=ask, inferenceConfig=limit)["stream"]))
    body = json.dumps({"anthropic_version": "bedrock-2023-05-31", "max_tokens": 9, "messages": ASK})
    tell("invoke", lambda: json.loads(runtime.invoke_model(modelId="claude-lab:0", body=body)["body"].read())["content"][0]["text"])
    tell("converse model", lambda: runtime.converse(modelId="other", messages=ask))
    arn = "arn:aws:bedrock:us-east-1:999999999999:inference-profile/claude-lab"
    tell("converse account", lambda: runtime.converse(modelId=arn, messages=ask))
    tell("converse 429", lambda: runtime.converse(modelId="claude-error-429", messages=ask))
    os.environ.pop("AWS_BEARER_TOKEN_BEDROCK")
    signed = boto3.client("bedrock-runtime", aws_access_key_id="AKIASOMEBODYELSES", aws_secret_access_key="x", config=once)
    tell("converse signed", lambda: signed.converse(modelId="claude-lab:0", messages=ask))
