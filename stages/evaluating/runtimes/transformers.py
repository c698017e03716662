"""Answers and text likelihoods with transformers, by the model folder's own tokenizer and chat template."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from modelmake.errors import UserError
from stages.answers.decoder import Decoder
from stages.evaluating import resumable_batches, token_loop
from stages.evaluating.generated import Generated
from stages.evaluating.sampling import Sampling, draws
from stages.evaluating.sampling import choose as sampled
from stages.evaluating.text_likelihood import TextLikelihood
from stages.training import chat_template
from stages.training.device import check as check_device

if TYPE_CHECKING:
    from torch import Tensor


NORMALIZES = True  # texts as the tokenizer does in training


class Followed(Protocol):
    """The answers of a batch, as far as they are there; rows are places in it."""

    def allowed(self, logits: "Tensor", rows: list[int]) -> "Tensor":
        """(B, V): the logits, -inf where a token may not come next."""

    def take(self, tokens: list[int], rows: list[int]) -> None:
        """Goes on with the token of each row."""


class Limit(Protocol):
    """What says which tokens may come next."""

    def start(self, rows: int) -> Followed:
        """Empty answers."""


def generate(
    model: Path,
    conversations: list[dict[str, Any]],
    *,
    max_new_tokens: int,
    batch_size: int,
    device: str,
    dtype: str,
    checkpoint: Path,
    sampling: Sampling | None = None,
    limit: Callable[[Any, set[int]], Limit] | None = None,
) -> list[Generated]:
    """The answers to each conversation ({messages, tools}), in order; of special tokens only MARKS are in them.

    Each has one, greedy answer without `sampling`, else one for each of its seeds. `limit` makes of the tokenizer and
    the end tokens what says which tokens may come next. `dtype` is torch's name ("float32", "bfloat16"). Generation
    stops at the tokenizer's eos_token and at the folder's `eos_token_id`; its other generation settings (penalties,
    sampling) are ignored. Finished batches are kept in the file `checkpoint` and read from there after a kill.

    Raises:
        UserError: the chat template refuses a conversation, or that leaves no room for `max_new_tokens` in the model's
            context; or there is no end token.
    """
    import torch
    from tqdm import tqdm
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from transformers.utils import logging

    check_device(device, dtype)
    logging.disable_progress_bar()  # of loading weights
    tokenizer = AutoTokenizer.from_pretrained(model)
    network = AutoModelForCausalLM.from_pretrained(model, dtype=dtype, device_map=device).eval()
    context_tokens = context(network.config)
    texts = [
        _prompt(tokenizer, conversation, f"{model}: conversation {i}") for i, conversation in enumerate(conversations)
    ]
    prompts = tokenizer(texts, add_special_tokens=False)["input_ids"] if texts else []
    for i, prompt in enumerate(prompts):
        if len(prompt) + max_new_tokens > context_tokens:
            raise UserError(
                f"{model}: conversation {i}: {len(prompt)} tokens and max_new_tokens = {max_new_tokens}: "
                f"want at most the model's max_position_embeddings = {context_tokens} together; shorten the prompt, or "
                "drop the row"
            )
    stops = chat_template.stop_token_ids(model, tokenizer)
    if not stops:
        raise UserError(f"{model}: no eos_token: want one to end answers; set it in tokenizer_config.json")
    decoder = Decoder(tokenizer, stops)
    limited = limit(tokenizer, stops) if limit else None
    seeds = sampling.seeds if sampling else [[""]] * len(prompts)
    wanted = [(prompt, seed) for prompt, of_row in zip(prompts, seeds, strict=True) for seed in of_row]  # one an answer

    def answer(batch: list[int]) -> list[Generated]:
        drawn = [draws(wanted[i][1], max_new_tokens) for i in batch] if sampling else []
        followed = limited.start(len(batch)) if limited else None

        def choose(logits: torch.Tensor, rows: list[int], step: int) -> torch.Tensor:
            logits = followed.allowed(logits, rows) if followed else logits
            if sampling:
                at = torch.tensor([drawn[row][step] for row in rows], dtype=torch.float64, device=logits.device)
                chosen = sampled(logits, at, sampling)
            else:
                chosen = logits.argmax(-1)
            if followed:
                followed.take(chosen.tolist(), rows)
            return chosen

        tokens = token_loop.answer(network, [wanted[i][0] for i in batch], begun, stops, max_new_tokens, choose)
        return [
            Generated(decoder.text(answered), answered[-1] not in stops, len(wanted[i][0]), len(answered))
            for i, answered in zip(batch, tokens, strict=True)
        ]

    answers: dict[int, Generated] = {}
    # Prompts of equal length need no padding. The longest come first, so that a lack of memory shows at once.
    order = sorted(range(len(wanted)), key=lambda i: -len(wanted[i][0]))
    with torch.inference_mode(), tqdm(total=len(wanted), desc="transformers", unit="row", disable=None) as progress:
        begun = token_loop.beginning(network, prompts)
        for batch, found in resumable_batches.run(order, batch_size, answer, checkpoint):
            answers |= {i: Generated(*of_row) for i, of_row in zip(batch, found, strict=True)}
            progress.update(len(batch))
    return [answers[i] for i in range(len(wanted))]


def prompt_tokens(model: Path, conversations: list[dict[str, Any]]) -> list[list[int] | None]:
    """The token ids of each prompt as `generate` makes it; None: the chat template refuses the conversation."""
    from transformers import AutoTokenizer

    tokenizer, found = AutoTokenizer.from_pretrained(model), []
    for conversation in conversations:
        try:
            text = _prompt(tokenizer, conversation, str(model))
        except UserError:
            found.append(None)
        else:
            found.append(tokenizer(text, add_special_tokens=False)["input_ids"])
    return found


def _prompt(tokenizer: Any, conversation: dict[str, Any], where: str) -> str:
    try:
        return chat_template.render_messages(tokenizer, **conversation, prompt=True).text
    except UserError as error:
        raise UserError(f"{where}: {error}") from error


def text_likelihoods(
    model: Path,
    texts: list[str],
    *,
    context_tokens: int,
    batch_size: int,
    device: str,
    dtype: str,
    checkpoint: Path,
) -> list[TextLikelihood]:
    """The likelihood of each text, in order; every token is predicted exactly once.

    As in lm-eval's `loglikelihood_rolling`, the first token is predicted from bos (from eos where there is no bos),
    and a text longer than `context_tokens` is read in windows that overlap by one token. Finished batches are kept in
    the file `checkpoint` and read from there after a kill.

    Raises:
        UserError: `context_tokens` is more than the model's context.
    """
    import torch
    from tqdm import tqdm
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from transformers.utils import logging

    check_device(device, dtype)
    logging.disable_progress_bar()
    tokenizer = AutoTokenizer.from_pretrained(model)
    network = AutoModelForCausalLM.from_pretrained(model, dtype=dtype).to(device).eval()
    if context_tokens > context(network.config):
        raise UserError(
            f"{model}: context_tokens = {context_tokens}: want at most the model's max_position_embeddings = "
            f"{context(network.config)}; lower it in the suite"
        )
    first = tokenizer.eos_token_id if tokenizer.bos_token_id is None else tokenizer.bos_token_id
    windows: list[tuple[int, list[int]]] = []  # (index of the text, tokens); all tokens but the first are predicted
    encoded = [tokenizer.encode(text, add_special_tokens=False) for text in texts]
    for text, tokens in enumerate(encoded):
        stream = [first, *tokens]
        windows += [(text, stream[s : s + context_tokens + 1]) for s in range(0, len(tokens), context_tokens)]
    windows.sort(key=lambda w: -len(w[1]))  # similar lengths together; a lack of memory shows at once

    def predict(batch: list[tuple[int, list[int]]]) -> list[tuple[float, int]]:
        width = len(batch[0][1])
        tokens = torch.full((len(batch), width), first)  # (B, T + 1); padding on the right is never attended to
        labels = torch.full((len(batch), width - 1), -100)  # (B, T)
        for row, (_, window) in enumerate(batch):
            tokens[row, : len(window)] = torch.tensor(window)
            labels[row, : len(window) - 1] = torch.tensor(window[1:])
        labels = labels.to(device)
        logits = network(input_ids=tokens[:, :-1].to(device), use_cache=False).logits.float()  # (B, T, V)
        losses = torch.nn.functional.cross_entropy(logits.transpose(1, 2), labels, reduction="none")  # 0 at -100
        hits = logits.argmax(-1) == labels
        return list(zip(losses.double().sum(1).tolist(), hits.sum(1).tolist(), strict=True))

    nats, hits = [0.0] * len(texts), [0] * len(texts)
    with torch.inference_mode(), tqdm(total=len(windows), desc="transformers", unit="window", disable=None) as progress:
        for batch, sums in resumable_batches.run(windows, batch_size, predict, checkpoint):
            for (text, _), (window_nats, window_hits) in zip(batch, sums, strict=True):
                nats[text] += window_nats
                hits[text] += window_hits
            progress.update(len(batch))
    lengths = ((len(tokens), len(text.encode())) for tokens, text in zip(encoded, texts, strict=True))
    return [TextLikelihood(n, h, *counts) for n, h, counts in zip(nats, hits, lengths, strict=True)]


def context(config: Any) -> float:
    """How many tokens a model reads at most: of one that also sees, its text part; without end, where none is named."""
    return getattr(config.get_text_config(), "max_position_embeddings", None) or math.inf
