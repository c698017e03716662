"""Answers with llama.cpp from a GGUF file, by the chat template and tokenizer inside it.

Runs llama.cpp's own server in this process (xllamacpp), so that parity measures what users will serve. While a
function of this module runs, the server listens on a free port of the loopback interface.
"""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError
from urllib.request import ProxyHandler, Request, build_opener

from modelmake.errors import UserError
from stages.answers.call_forms import MARKS
from stages.evaluating import resumable_batches
from stages.evaluating.generated import Generated
from stages.evaluating.normal_form import in_form
from stages.evaluating.runtimes import gguf_template
from stages.evaluating.runtimes.gguf_template import sampling_defaults, tensor_types  # noqa: F401 (runtimes have them)
from stages.evaluating.runtimes.llama_logits import reading  # noqa: F401 (likewise)
from stages.evaluating.schema_order import in_order

if TYPE_CHECKING:
    from xllamacpp import Server

NORMALIZES = False  # texts as the tokenizer does in training
# top_k = 1 leaves one token to choose from, whatever the defaults of other samplers are.
GREEDY = {"temperature": 0, "samplers": ["top_k"], "top_k": 1}


def generate(
    model: Path,
    conversations: list[dict[str, Any]],
    *,
    max_new_tokens: int,
    threads: int,
    context_tokens: int,
    checkpoint: Path,
    schema: dict[str, Any] | None = None,
) -> list[Generated]:
    """The greedy answer to each conversation ({messages, tools}), in order; of special tokens only MARKS are in it.

    The file's template makes the prompt, and the prompt is completed: llama.cpp's endpoint for chats would bind an
    answer to the grammar of the tools, and take its calls apart. Conversations are asked in the normal form of the
    tokenizer.
    `context_tokens` bounds prompt and answer together. With a JSON Schema only tokens are taken that its grammar
    allows; of a schema that it cannot take, llama.cpp says so in its log, and answers as if there were none. Finished
    answers are kept in the file `checkpoint` and read from there after a kill.

    Raises:
        UserError: llama.cpp cannot load the file, or that lacks a chat template or begin token; or a conversation
            leaves no room for `max_new_tokens`, or llama.cpp refuses it.
    """
    from tqdm import tqdm

    servers = [_start(model, threads, context_tokens)]

    def answer(batch: list[tuple[int, dict[str, Any]]]) -> list[Generated]:
        [(i, conversation)] = batch
        prompt = _prompt(servers[0], conversation, f"{model}: conversation {i}")
        request = {"prompt": prompt, "max_tokens": max_new_tokens, "preserved_tokens": MARKS, **GREEDY}
        reply = servers[0].handle_completions(request | ({"json_schema": in_order(schema)} if schema else {}))
        return [_answer(reply, max_new_tokens, context_tokens, f"{model}: conversation {i}")]

    try:
        served = gguf_template.read(model)
        gguf_template.check(model, served)
        asked = list(enumerate(in_form(conversations, served.normal_form)))
        answers = resumable_batches.run(asked, 1, answer, checkpoint)
        progress = tqdm(answers, total=len(conversations), desc="llama.cpp", unit="row", disable=None)
        return [Generated(*found) for _, [found] in progress]
    finally:
        servers.clear()  # stops the server even while a traceback holds this frame


def tokenize(model: Path, texts: list[str]) -> list[list[int]]:
    """The token ids of each text, including begin and end tokens that the tokenizer adds by itself."""
    server = _start(model, threads=1, context_tokens=256)
    try:
        return [_tokenize(server, text) for text in texts]
    finally:
        del server


def prompts(model: Path, conversations: list[dict[str, Any]]) -> list[str]:
    """The prompt of each conversation as text, without the begin token if the tokenizer adds it."""
    server = _start(model, threads=1, context_tokens=256)
    try:
        return [
            _prompt(server, conversation, f"{model}: conversation {i}") for i, conversation in enumerate(conversations)
        ]
    finally:
        del server


def next_tokens(model: Path, prompts: list[list[int]], n: int) -> list[dict[int, float]]:
    """{token id: log-probability} of the `n` most likely tokens after each prompt of token ids.

    Raises:
        UserError: llama.cpp cannot load the file, or refuses a prompt.
    """
    server = _start(model, threads=1, context_tokens=max(map(len, prompts), default=0) + 8)
    try:
        # An end token and a part of a character are logged without any probability: a letter is taken in their place,
        # at unchanged probabilities.
        request = {"max_tokens": 1, "logprobs": n, "logit_bias": [["a", 1000]], **GREEDY}
        found = []
        for prompt in prompts:
            reply = server.handle_completions({**request, "prompt": prompt})
            if "error" in reply:
                raise UserError(f"{model}: llama.cpp says: {reply['error']['message']}")
            [token] = reply["choices"][0]["logprobs"]["content"]
            found.append({top["id"]: top["logprob"] for top in token["top_logprobs"]})
        return found
    finally:
        del server


def prompt_tokens(model: Path, conversations: list[dict[str, Any]]) -> list[list[int] | None]:
    """The token ids of each prompt as `generate` makes it; None: llama.cpp refuses the conversation.

    Raises:
        UserError: llama.cpp cannot load the file, or that lacks a chat template or begin token.
    """
    server = _start(model, threads=1, context_tokens=256)
    try:
        served = gguf_template.read(model)
        gguf_template.check(model, served)
        found: list[list[int] | None] = []
        for conversation in in_form(conversations, served.normal_form):
            try:
                prompt = _prompt(server, conversation, str(model))
            except UserError:
                found.append(None)
            else:
                found.append(_tokenize(server, prompt))
        return found
    finally:
        del server


def _start(model: Path, threads: int, context_tokens: int) -> "Server":
    from xllamacpp import CommonParams, Server

    params = CommonParams()
    params.model.path = str(model)
    params.hostnames = ["127.0.0.1"]
    params.port = 0  # any free port
    params.verbosity = 1  # errors only
    params.ui = False
    params.n_threads_http = 1
    params.n_gpu_layers = 0
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = threads
    params.n_ctx = context_tokens
    params.fit_params = False  # would shrink n_ctx to the free memory
    params.cache_prompt = False  # would evaluate a prompt in other pieces, which rounds differently
    params.prefill_assistant = False  # after an assistant's message, begin a new one
    try:
        server = Server(params)
    except RuntimeError as error:
        raise UserError(f"{model}: llama.cpp cannot load it ({error}); its log above says why") from error
    # A server that is stopped before its two loops run hangs (seen in half of the tries). Wait until both do.
    build_opener(ProxyHandler({})).open(f"{server.listening_address}/health").read()
    server.handle_completions({"prompt": [0], "n_predict": 0})
    return server


def _answer(reply: dict[str, Any], max_new_tokens: int, context_tokens: int, where: str) -> Generated:
    if "error" in reply:
        raise UserError(f"{where}: llama.cpp says: {reply['error']['message']}")
    prompt_tokens = reply["usage"]["prompt_tokens"]
    if prompt_tokens + max_new_tokens > context_tokens:
        raise UserError(
            f"{where}: {prompt_tokens} tokens and max_new_tokens = {max_new_tokens}: want at most "
            f"context_tokens = {context_tokens} together; raise it, or drop the row"
        )
    [choice] = reply["choices"]
    cut = choice["finish_reason"] == "length"  # perhaps within a character, whose bytes alone are no UTF-8
    text = choice["text"].rstrip("\ufffd") if cut else choice["text"]
    return Generated(text, cut, prompt_tokens, reply["usage"]["completion_tokens"])


def _prompt(server: "Server", conversation: dict[str, Any], where: str) -> str:
    """The prompt that the file's template makes of a conversation.

    Raises:
        UserError: llama.cpp refuses the conversation or its tools.
    """
    tools = [tool if "function" in tool else {"type": "function", "function": tool} for tool in conversation["tools"]]
    try:
        return _post(server, "/apply-template", {"messages": conversation["messages"], "tools": tools})["prompt"]
    except HTTPError as error:
        message = json.load(error)["error"]["message"].partition("; tools = ")[0]
        raise UserError(f"{where}: llama.cpp says: {message}") from error


def _tokenize(server: "Server", text: str) -> list[int]:
    return _post(server, "/tokenize", {"content": text, "add_special": True, "parse_special": True})["tokens"]


def _post(server: "Server", path: str, body: dict[str, Any]) -> dict[str, Any]:
    request = Request(server.listening_address + path, json.dumps(body).encode(), {"Content-Type": "application/json"})
    with build_opener(ProxyHandler({})).open(request) as response:  # never through a proxy
        return json.load(response)
