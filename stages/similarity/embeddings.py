"""Embeddings of rows: float32 vectors of length 1, made on the CPU and kept for later runs.

A row's vector follows from the row alone, to the bit: a batch has always as many rows, padded to one length, and each
thread works on a batch of its own. So what was kept, in whatever run, is what would be made now.
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
from modelmake.progress import Count
from stages.params.data import Dedup
from stages.reading import hub
from stages.similarity import encoder

STEP = 16  # tokens: rows are padded to multiples of it
SHARD = 8192  # rows that are read, and written to the memo, at once: a kill costs no more
SUFFIX = ".safetensors"

Batch = tuple[int, list[int]]  # width, rows


class Encoder:
    """Gives each text a vector, of nan where it has no token or more than `max_tokens`.

    Raises:
        UserError: what `path` names is no encoder.
    """

    def __init__(self, path: Path, params: Dedup) -> None:
        encoder.check(path, params.semantic.max_tokens)
        import torch
        from safetensors import SafetensorError
        from transformers import AutoModel, AutoTokenizer
        from transformers.utils import logging

        logging.disable_progress_bar()  # that of loading the weights
        folder = path if path.is_dir() else hub.fetch(path, "model", encoder.WANTED)
        model, self.pooling = encoder.describe(folder, params.semantic.max_tokens)
        torch.set_num_threads(1)
        local = {"local_files_only": True, "trust_remote_code": False}
        try:
            self.tokenizer = AutoTokenizer.from_pretrained(model, **local)
            network, loaded = AutoModel.from_pretrained(
                model, dtype=torch.float32, use_safetensors=True, output_loading_info=True, **local
            )
        except (OSError, ValueError, SafetensorError) as error:
            told = str(error).strip().partition("\n")[0]
            raise UserError(
                f"params.yaml: dedup.encoder: {model}: transformers says: {told}; name another encoder"
            ) from None
        if missing := sorted(name for name in loaded["missing_keys"] if "pooler" not in name):  # which is not used
            raise UserError(f"params.yaml: dedup.encoder: {model}: has no weights {missing[0]}: name another encoder")
        self.network = network.eval()
        self.network.config.use_cache = False
        self.path, self.params, self.threads = path, params.semantic, params.near.threads
        self.size = self.network.config.hidden_size

    def read(self, texts: Sequence[str], told: Count) -> np.ndarray:
        """The vectors of texts, (n, D)."""
        tokens = [self.tokenizer(text, verbose=False)["input_ids"] for text in texts]
        vectors = np.full((len(texts), self.size), np.nan, np.float32)
        batches = list(self._batches([len(found) for found in tokens]))

        def read(batch: Batch) -> np.ndarray:
            return self._read([tokens[row] for row in batch[1]], batch[0])

        with ThreadPoolExecutor(self.threads) as pool:
            for (_, rows), found in zip(batches, pool.map(read, batches), strict=True):
                if not np.isfinite(found).all():
                    raise UserError(
                        f"params.yaml: dedup.encoder: {self.path}: gives embeddings that are no numbers: name another"
                    )
                vectors[rows] = found
                told.add(len(rows))
        return vectors

    def _batches(self, lengths: list[int]) -> Iterator[Batch]:
        """Rows of one width, the longest first, so that too little memory shows at once. Those that fill it are apart:
        a mask that hides nothing is left out, and other kernels run."""
        groups: dict[tuple[int, bool], list[int]] = defaultdict(list)
        for row, n in enumerate(lengths):
            if 0 < n <= self.params.max_tokens:
                width = min(-(-n // STEP) * STEP, self.params.max_tokens)
                groups[width, n == width].append(row)
        for (width, _), rows in sorted(groups.items(), reverse=True):
            for start in range(0, len(rows), self.params.batch_size):
                yield width, rows[start : start + self.params.batch_size]

    def _read(self, tokens: list[list[int]], width: int) -> np.ndarray:
        """The vectors of a batch; where rows are too few, some are read again to fill it."""
        import torch

        shape = (self.params.batch_size, width)
        ids, mask = torch.full(shape, self.tokenizer.pad_token_id or 0), torch.zeros(shape, dtype=torch.long)
        for row in range(shape[0]):
            found = tokens[row % len(tokens)]
            ids[row, : len(found)], mask[row, : len(found)] = torch.tensor(found), 1
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


def embed(ids: Sequence[str], texts: Sequence[str], reader: Encoder, memo: Path | None) -> np.ndarray:
    """A vector of each text, (n, D), nan where it is not compared; by id from the folder `memo`, where it has it.

    Memory: four bytes a row for each of the D numbers.
    """
    vectors, new = np.full((len(ids), reader.size), np.nan, np.float32), np.ones(len(ids), bool)
    places, stored = {id: place for place, id in enumerate(ids)}, 0
    for file in sorted(memo.glob(f"*{SUFFIX}")) if memo else ():
        known, found = _shard(file, reader.size)
        at = np.array([places.get(id, -1) for id in known], np.int64)
        vectors[at[at >= 0]], new[at[at >= 0]] = found[at >= 0], False
        stored += len(known)
    rows = np.flatnonzero(new)
    told = Count(len(rows), "embeddings", "rows")
    for start in range(0, len(rows), SHARD):
        part = rows[start : start + SHARD]
        vectors[part] = reader.read([texts[row] for row in part], told)
        if memo:
            _keep(memo, [ids[row] for row in part], vectors[part])
    if memo and stored > 2 * len(ids):  # mostly of rows that are gone
        _keep(memo, list(ids), vectors)
        for file in sorted(memo.glob(f"*{SUFFIX}"))[:-1]:
            file.unlink()
    return vectors


def _keep(memo: Path, ids: list[str], vectors: np.ndarray) -> None:
    """A file more, whole or not at all."""
    from safetensors.numpy import save_file

    memo.mkdir(parents=True, exist_ok=True)
    named = np.frombuffer("".join(ids).encode("ascii"), np.uint8)
    numbers = [int(file.stem) for file in memo.glob(f"*{SUFFIX}")]
    partial = memo / ".partial"
    save_file({"ids": named, "vectors": vectors}, partial, {"crc32": _crc(named, vectors)})
    os.replace(partial, memo / f"{max(numbers, default=0) + 1:06}{SUFFIX}")


def _shard(file: Path, size: int) -> tuple[list[str], np.ndarray]:
    """The ids in a file, and their vectors; none where the file is not what was written."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(file, "numpy") as opened:
            named, vectors, crc = opened.get_tensor("ids"), opened.get_tensor("vectors"), opened.metadata()["crc32"]
        if crc == _crc(named, vectors):
            return [id.decode("ascii") for id in named.view("S24").tolist()], vectors
    except SafetensorError:  # cut short by a loss of power
        pass
    return [], np.empty((0, size), np.float32)


def _crc(named: np.ndarray, vectors: np.ndarray) -> str:
    return f"{zlib.crc32(vectors, zlib.crc32(named)):08x}"


def folder(memo: Path, path: Path, max_tokens: int) -> Path:
    """Where in `memo` vectors by this encoder are; those by another one go."""
    wanted = memo / f"{artifacts.measure(path).md5}-{max_tokens}"
    for other in memo.glob("*"):
        if other != wanted:
            shutil.rmtree(other)
    return wanted
