"""What a model answers to the requests of an lm-eval task: how likely it finds given words, or what it writes.

Words become tokens as in lm-eval's own model of transformers, so that likelihoods are the same. Three things are not as
there. A prompt that is too long is refused, where lm-eval cuts off its beginning: BOS, system prompt, question. After a
chat template no special tokens are added, as in training. A template that refuses a system prompt is not asked without.
"""

import json
import math
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple

from modelmake.errors import UserError
from stages.evaluating import resumable_batches, token_loop
from stages.evaluating.runtimes import transformers as runtime
from stages.training import chat_template
from stages.training.device import check as check_device

NO_END = 2048  # tokens of a window where a model names no end of its context; as in lm-eval


class Settings(NamedTuple):
    chat: bool  # prompts are JSON of {messages, add_generation_prompt}
    batch_size: int
    device: str
    dtype: str
    checkpoint: Path  # finished batches are kept there


class Answers(NamedTuple):
    answers: list[Any]  # to each request, as lm-eval wants them
    prompts: list[str]  # of each request, as the model read it; "" where a text is read
    cut: int = 0  # answers that had not ended after max_gen_toks


def respond(weights: Path, requests: list[list[Any]], settings: Settings) -> Answers:
    """Answers requests, which are all of one kind.

    Raises:
        UserError: a prompt leaves no room in the model's context, or the chat template refuses one; a choice is no
            token, or has no finite likelihood; or there is no end token.
    """
    if requests[0][0] == "loglikelihood_rolling":
        return _read(weights, [text for _, text in requests], settings)
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from transformers.utils import logging

    check_device(settings.device, settings.dtype)
    logging.disable_progress_bar()  # of loading weights
    tokenizer = AutoTokenizer.from_pretrained(weights)
    network = AutoModelForCausalLM.from_pretrained(weights, dtype=settings.dtype, device_map=settings.device).eval()
    prompts = [_prompt(tokenizer, context, settings.chat) for _, context, _ in requests]
    encode = encoder(tokenizer, settings.chat)
    with torch.inference_mode():
        if requests[0][0] == "loglikelihood":
            first = _first(tokenizer)
            pairs = [
                pair(encode, tokenizer, first, prompt, words)
                for prompt, (_, _, words) in zip(prompts, requests, strict=True)
            ]
            _check_lengths(weights, (len(before) + len(words) - 1 for before, words in pairs), network.config)
            found = _likelihoods(network, pairs, settings)
            if lost := [requests[i][2] for i, (nats, _) in enumerate(found) if not math.isfinite(nats)]:
                raise UserError(f"{weights}: {lost[0]!r} has no finite likelihood: want finite weights; train again")
            return Answers(found, prompts)
        return _written(weights, tokenizer, network, [encode(p) for p in prompts], requests[0][2], settings, prompts)


def _read(weights: Path, texts: list[str], settings: Settings) -> Answers:
    from transformers import AutoConfig

    context = runtime.context(AutoConfig.from_pretrained(weights))
    found = runtime.text_likelihoods(
        weights, texts, context_tokens=NO_END if math.isinf(context) else int(context), batch_size=settings.batch_size,
        device=settings.device, dtype=settings.dtype, checkpoint=settings.checkpoint,
    )  # fmt: skip
    return Answers([-likelihood.nats for likelihood in found], [""] * len(texts))


def _prompt(tokenizer: Any, context: str, chat: bool) -> str:
    """The text that a model reads; lm-eval also asks for words after none."""
    if not chat or not context:
        return context
    import jinja2

    asked = json.loads(context)
    if asked["add_generation_prompt"]:
        return chat_template.render_messages(tokenizer, asked["messages"], [], prompt=True).text
    try:
        return tokenizer.apply_chat_template(asked["messages"], tokenize=False, continue_final_message=True)
    except (jinja2.TemplateError, TypeError, ValueError, AttributeError, LookupError) as error:
        raise UserError(f"the chat template refuses it: {' '.join(str(error).split())}") from error


def _first(tokenizer: Any) -> int:
    """The token before all others."""
    first = tokenizer.eos_token_id if tokenizer.bos_token_id is None else tokenizer.bos_token_id
    if first is None:
        raise UserError("no bos_token and no eos_token: want one to read words after; set it in tokenizer_config.json")
    return first


def encoder(tokenizer: Any, chat: bool) -> Callable[[str], list[int]]:
    """text → tokens; with those that the tokenizer adds, unless the text begins with one or is of a chat template."""
    begins = tokenizer.bos_token or tokenizer.eos_token

    def encode(text: str) -> list[int]:
        return tokenizer.encode(text, add_special_tokens=not chat and not (begins and text.startswith(begins)))

    return encode


def pair(
    encode: Callable[[str], list[int]], tokenizer: Any, first: int, prompt: str, words: str
) -> tuple[list[int], list[int]]:
    """(tokens before, tokens of the words). White space at the end of a prompt counts for the words, as in lm-eval."""
    if not prompt:
        tokens = tokenizer.encode(words, add_special_tokens=False)
        before, tokens = ([first], tokens) if tokens[:1] != [first] else (tokens[:1], tokens[1:])
    else:
        before = encode(prompt.rstrip())
        tokens = encode(prompt + words)[len(before) :]
    if not before or not tokens:
        raise UserError(f"{words!r} after {prompt[-40:]!r}: no tokens: want words; mend the task")
    return before, tokens


def _check_lengths(weights: Path, lengths: Iterable[int], config: Any, room: str = "") -> None:
    context, lengths = runtime.context(config), list(lengths)
    if over := [length for length in lengths if length > context]:
        raise UserError(
            f"{weights}: {len(over)} of {len(lengths)} prompts{room} have up to {max(over)} tokens: want at most the "
            f"model's max_position_embeddings = {context}; lower num_fewshot or max_gen_toks, or leave them out of a "
            "task of your own"
        )


def _likelihoods(
    network: Any, pairs: list[tuple[list[int], list[int]]], settings: Settings
) -> list[tuple[float, bool]]:
    """(log-likelihood of the words, are they what the model would write) of each pair."""
    import torch
    from tqdm import tqdm

    def predict(batch: list[int]) -> list[tuple[float, bool]]:
        width = max(len(before) + len(words) for before, words in (pairs[i] for i in batch)) - 1
        tokens = torch.zeros((len(batch), width), dtype=torch.long)  # (B, T); padding on the right is never attended to
        labels = torch.full((len(batch), width), -100)  # (B, T)
        for row, (before, words) in enumerate(pairs[i] for i in batch):
            end = len(before) + len(words) - 1
            tokens[row, :end] = torch.tensor((before + words)[:-1])
            labels[row, len(before) - 1 : end] = torch.tensor(words)
        labels = labels.to(network.device)
        logits = network(input_ids=tokens.to(network.device), use_cache=False).logits.float()  # (B, T, V)
        losses = torch.nn.functional.cross_entropy(logits.transpose(1, 2), labels, reduction="none")  # 0 at -100
        greedy = ((logits.argmax(-1) == labels) | (labels == -100)).all(1)
        return list(zip((-losses.double().sum(1)).tolist(), greedy.tolist(), strict=True))

    order = sorted(range(len(pairs)), key=lambda i: -sum(map(len, pairs[i])))  # a lack of memory shows at once
    found: dict[int, tuple[float, bool]] = {}
    with tqdm(total=len(pairs), desc="lm-eval", unit="choice", disable=None) as progress:
        for batch, results in resumable_batches.run(order, settings.batch_size, predict, settings.checkpoint):
            found |= {i: (float(nats), bool(greedy)) for i, (nats, greedy) in zip(batch, results, strict=True)}
            progress.update(len(batch))
    return [found[i] for i in range(len(pairs))]


def _written(
    weights: Path, tokenizer: Any, network: Any, tokens: list[list[int]], ends: dict[str, Any], settings: Settings,
    prompts: list[str],
) -> Answers:  # fmt: skip
    """Greedy texts up to the first of `ends["until"]`, or as many tokens as `ends["max_gen_toks"]`."""
    import torch
    from tqdm import tqdm

    until, most = [text for text in ends["until"] if text], ends["max_gen_toks"]
    _check_lengths(weights, (len(prompt) + most for prompt in tokens), network.config, f" with {most} tokens of answer")
    added = tokenizer.get_added_vocab()
    stops = chat_template.stop_token_ids(weights, tokenizer) | {added[text] for text in until if text in added}
    if not stops and not until:
        raise UserError(f"{weights}: no eos_token: want one to end answers; set it in tokenizer_config.json")

    def choose(logits: torch.Tensor, rows: list[int], step: int) -> torch.Tensor:
        return logits.argmax(-1)

    def write(batch: list[int]) -> list[tuple[str, bool]]:
        found = []
        for written in token_loop.answer(network, [tokens[i] for i in batch], begun, stops, most, choose):
            text = tokenizer.decode(written, skip_special_tokens=True)
            ended = written[-1] in stops or any(end in text for end in until)
            for end in until:
                text = text.split(end)[0]
            found.append((text, not ended))
        return found

    order = sorted(range(len(tokens)), key=lambda i: -len(tokens[i]))
    texts: dict[int, tuple[str, bool]] = {}
    begun = token_loop.beginning(network, tokens)
    with tqdm(total=len(tokens), desc="lm-eval", unit="answer", disable=None) as progress:
        for batch, results in resumable_batches.run(order, settings.batch_size, write, settings.checkpoint):
            texts |= {i: tuple(result) for i, result in zip(batch, results, strict=True)}
            progress.update(len(batch))
    return Answers([texts[i][0] for i in range(len(tokens))], prompts, sum(cut for _, cut in texts.values()))
