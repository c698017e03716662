"""Answer conversations with transformers, through the model folder's own tokenizer and chat template."""

from pathlib import Path

from modelmake.errors import UserError


def generate(
    model: Path,
    conversations: list[list[dict]],
    *,
    max_new_tokens: int,
    batch_size: int,
    device: str,
    dtype: str,
) -> list[str]:
    """The greedy answer to each conversation (`[{role, content}, …]`), in order, without special tokens.

    `dtype` is torch's name ("float32", "bfloat16"). Generation ends at the tokenizer's eos_token or at the
    folder's `eos_token_id`; its other generation settings (penalties, sampling) don't apply. Raises
    UserError for a conversation that doesn't leave room for `max_new_tokens` in the model's context.
    """
    import torch
    from tqdm import tqdm
    from transformers import AutoModelForCausalLM, AutoTokenizer, GenerationConfig
    from transformers.utils import logging

    logging.disable_progress_bar()  # that of loading the weights
    tokenizer = AutoTokenizer.from_pretrained(model)
    network = AutoModelForCausalLM.from_pretrained(model, dtype=dtype, device_map=device).eval()
    context_tokens = network.config.max_position_embeddings
    prompts = [
        tokenizer.apply_chat_template(conversation, add_generation_prompt=True)["input_ids"]
        for conversation in conversations
    ]
    for i, prompt in enumerate(prompts):
        if len(prompt) + max_new_tokens > context_tokens:
            raise UserError(
                f"{model}: conversation {i}: {len(prompt)} tokens and max_new_tokens = {max_new_tokens}: "
                f"want at most the model's max_position_embeddings = {context_tokens} together; drop the row"
            )
    named = network.generation_config.eos_token_id
    ends = {tokenizer.eos_token_id, *(named if isinstance(named, list) else [named])} - {None}
    if not ends:
        raise UserError(f"{model}: no eos_token: want one to end answers; set it in tokenizer_config.json")
    pad = min(ends)  # any token will do: it's masked before the prompt and cut off after the answer
    # generate() fills what its arguments leave open from this: a penalty saved there would change answers.
    network.generation_config = GenerationConfig(
        do_sample=False, max_new_tokens=max_new_tokens, eos_token_id=sorted(ends), pad_token_id=pad
    )

    answers = [""] * len(prompts)
    # Prompts of one length need no padding; the longest first, so that too little memory shows at once.
    order = sorted(range(len(prompts)), key=lambda i: -len(prompts[i]))
    with tqdm(total=len(prompts), desc="transformers", unit="row", disable=None) as progress:
        for start in range(0, len(order), batch_size):
            batch = order[start : start + batch_size]
            width = len(prompts[batch[0]])
            input_ids = torch.full((len(batch), width), pad)  # (B, T), padded on the left
            attention_mask = torch.zeros_like(input_ids)
            for row, i in enumerate(batch):
                input_ids[row, width - len(prompts[i]) :] = torch.tensor(prompts[i])
                attention_mask[row, width - len(prompts[i]) :] = 1
            outputs = network.generate(
                input_ids=input_ids.to(device), attention_mask=attention_mask.to(device)
            )  # (B, T + new)
            for i, tokens in zip(batch, outputs[:, width:].tolist(), strict=True):
                length = next((at for at, token in enumerate(tokens) if token in ends), len(tokens))
                answer = tokenizer.decode(tokens[:length], skip_special_tokens=True, clean_up_tokenization_spaces=False)
                # Half a character at the limit is no character; llama.cpp leaves it out as well.
                answers[i] = answer.rstrip("\ufffd") if length == len(tokens) else answer
            progress.update(len(batch))
    return answers
