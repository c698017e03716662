"""Embeddings of rows: float32 vectors of length 1, computed on the CPU and kept for later runs.

A row's vector depends on the row alone, to the bit: every batch has the same number of rows, padded to one width, and
every thread computes a batch of its own. So a kept vector equals the one that would be computed now.
"""

import os
import shutil
import zlib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from modelmake import artifacts
from modelmake.errors import UserError
from modelmake.progress import ProgressBar
from stages.params.data import Dedup
from stages.reading import hub
from stages.similarity import encoder_config

WIDTH_STEP = 16  # tokens: rows are padded to multiples of it
SHARD_ROWS = 8192  # rows between two writes to the memo: a kill loses no more
SUFFIX = ".safetensors"

Batch = tuple[int, list[int]]  # width in tokens, rows


class Encoder:
    """A text encoder on the CPU, from a folder or a pin of the hub.

    Raises:
        UserError: `path` is no encoder that can be used.
    """

    def __init__(self, path: Path, params: Dedup) -> None:
        encoder_config.check(path, params.semantic.max_tokens)
        import torch
        from safetensors import SafetensorError
        from transformers import AutoModel, AutoTokenizer
        from transformers.utils import logging

        logging.disable_progress_bar()  # of loading the weights
        folder = path if path.is_dir() else hub.fetch(path, "model", encoder_config.FILES)
        model, self.pooling = encoder_config.read(folder, params.semantic.max_tokens)
        torch.set_num_threads(1)
        local = {"local_files_only": True, "trust_remote_code": False}
        try:
            self.tokenizer = AutoTokenizer.from_pretrained(model, **local)
            network, loading = AutoModel.from_pretrained(
                model, dtype=torch.float32, use_safetensors=True, output_loading_info=True, **local
            )
        except (OSError, ValueError, SafetensorError) as error:
            message = str(error).strip().partition("\n")[0]
            raise UserError(
                f"params.yaml: dedup.encoder: {model}: transformers says: {message}; name another encoder"
            ) from None
        if missing := sorted(name for name in loading["missing_keys"] if "pooler" not in name):  # poolers are not used
            raise UserError(f"params.yaml: dedup.encoder: {model}: has no weights {missing[0]}: name another encoder")
        self.network = network.eval()
        self.network.config.use_cache = False
        self.path, self.params, self.threads = path, params.semantic, params.near.threads
        self.size = self.network.config.hidden_size

    def encode(self, texts: Sequence[str], progress: ProgressBar) -> np.ndarray:
        """The vectors of texts, (n, D); NaN for a text of no token or of more than `max_tokens`.

        Raises:
            UserError: the encoder returned NaN or infinity.
        """
        tokens = [self.tokenizer(text, verbose=False)["input_ids"] for text in texts]
        vectors = np.full((len(texts), self.size), np.nan, np.float32)
        batches = list(self._batches([len(ids) for ids in tokens]))

        def encode_batch(batch: Batch) -> np.ndarray:
            return self._encode_batch([tokens[row] for row in batch[1]], batch[0])

        with ThreadPoolExecutor(self.threads) as pool:
            for (_, rows), encoded in zip(batches, pool.map(encode_batch, batches), strict=True):
                if not np.isfinite(encoded).all():
                    raise UserError(
                        f"params.yaml: dedup.encoder = {str(self.path)!r}: the encoder returned NaN or infinity; "
                        "choose another model in dedup.encoder"
                    )
                vectors[rows] = encoded
                progress.update(len(rows))
        return vectors

    def _batches(self, lengths: list[int]) -> Iterator[Batch]:
        """Batches of rows padded to one width, the widest first, so that too little memory shows at once.

        Full-width rows get their own batches: without padding transformers drops the mask and takes another kernel,
        which rounds differently.
        """
        groups: dict[tuple[int, bool], list[int]] = defaultdict(list)
        for row, length in enumerate(lengths):
            if 0 < length <= self.params.max_tokens:
                width = min(-(-length // WIDTH_STEP) * WIDTH_STEP, self.params.max_tokens)
                groups[width, length == width].append(row)
        for (width, _), rows in sorted(groups.items(), reverse=True):
            for start in range(0, len(rows), self.params.batch_size):
                yield width, rows[start : start + self.params.batch_size]

    def _encode_batch(self, tokens: list[list[int]], width: int) -> np.ndarray:
        """The vectors of at most `batch_size` rows, (n, D); a smaller batch is filled up by repeating its rows."""
        import torch

        shape = (self.params.batch_size, width)
        ids, mask = torch.full(shape, self.tokenizer.pad_token_id or 0), torch.zeros(shape, dtype=torch.long)
        for row in range(shape[0]):
            row_tokens = tokens[row % len(tokens)]
            ids[row, : len(row_tokens)], mask[row, : len(row_tokens)] = torch.tensor(row_tokens), 1
        with torch.inference_mode():
            hidden = self.network(input_ids=ids, attention_mask=mask).last_hidden_state  # (B, T, D)
            lengths = mask.sum(dim=1)  # (B,)
            if self.pooling == "cls":
                pooled = hidden[:, 0]
            elif self.pooling == "lasttoken":
                pooled = hidden[torch.arange(shape[0]), lengths - 1]
            else:
                pooled = (hidden * mask[..., None]).sum(dim=1) / lengths[:, None]
            return (pooled / pooled.norm(dim=1, keepdim=True)).numpy()[: len(tokens)]  # (B, D)


def embed(ids: Sequence[str], texts: Sequence[str], encoder: Encoder, memo: Path | None) -> np.ndarray:
    """A vector of each text, (n, D), NaN where `Encoder.encode` gives none.

    The folder `memo` holds vectors by id; only the others are computed, and added to it. Memory: 4 D bytes a row.
    """
    vectors, new = np.full((len(ids), encoder.size), np.nan, np.float32), np.ones(len(ids), bool)
    places, stored_count = {id: place for place, id in enumerate(ids)}, 0
    for file in sorted(memo.glob(f"*{SUFFIX}")) if memo else ():
        stored_ids, stored = _read_shard(file, encoder.size)
        at = np.array([places.get(id, -1) for id in stored_ids], np.int64)
        vectors[at[at >= 0]], new[at[at >= 0]] = stored[at >= 0], False
        stored_count += len(stored_ids)
    rows = np.flatnonzero(new)
    progress = ProgressBar(len(rows), "embeddings", "rows")
    for start in range(0, len(rows), SHARD_ROWS):
        part = rows[start : start + SHARD_ROWS]
        vectors[part] = encoder.encode([texts[row] for row in part], progress)
        if memo:
            _write_shard(memo, [ids[row] for row in part], vectors[part])
    if memo and stored_count > 2 * len(ids):  # most of the memo is of rows that are gone
        _write_shard(memo, list(ids), vectors)
        for file in sorted(memo.glob(f"*{SUFFIX}"))[:-1]:
            file.unlink()
    return vectors


def _write_shard(memo: Path, ids: list[str], vectors: np.ndarray) -> None:
    """Adds a file to the memo, atomically."""
    from safetensors.numpy import save_file

    memo.mkdir(parents=True, exist_ok=True)
    id_bytes = np.frombuffer("".join(ids).encode("ascii"), np.uint8)
    numbers = [int(file.stem) for file in memo.glob(f"*{SUFFIX}")]
    partial = memo / ".partial"
    save_file({"ids": id_bytes, "vectors": vectors}, partial, {"crc32": _checksum(id_bytes, vectors)})
    os.replace(partial, memo / f"{max(numbers, default=0) + 1:06}{SUFFIX}")


def _read_shard(file: Path, size: int) -> tuple[list[str], np.ndarray]:
    """The ids and vectors of a file; none if it is damaged."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(file, "numpy") as shard:
            id_bytes, vectors, crc = shard.get_tensor("ids"), shard.get_tensor("vectors"), shard.metadata()["crc32"]
        if crc == _checksum(id_bytes, vectors):
            return [id.decode("ascii") for id in id_bytes.view("S24").tolist()], vectors
    except SafetensorError:  # cut short by a loss of power
        pass
    return [], np.empty((0, size), np.float32)


def _checksum(id_bytes: np.ndarray, vectors: np.ndarray) -> str:
    return f"{zlib.crc32(vectors, zlib.crc32(id_bytes)):08x}"


def memo_folder(memo: Path, encoder: Path, max_tokens: int) -> Path:
    """The folder in `memo` for vectors of this encoder; those of other encoders are deleted."""
    folder = memo / f"{artifacts.measure(encoder).md5}-{max_tokens}"
    for stale in memo.glob("*"):
        if stale != folder:
            shutil.rmtree(stale)
    return folder
