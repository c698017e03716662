"""One search for near-duplicates in its own process: `dedup_tools.py TOOL TEXTS.json COUNT RESULT.json`.

The result: {"s": CPU seconds, "peak_mib", "pairs": [[first, second], …]}, and further figures of some tools.
"""

import json
import resource
import struct
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))
THRESHOLD, CHARS, PERMUTATIONS, BANDS = 0.85, 5, 128, 21
Pairs = set[tuple[int, int]]


def timed(work: Callable[[], Any]) -> tuple[float, float, Any]:
    """(CPU seconds, wall seconds, result) of a call."""
    cpu, wall = time.process_time(), time.monotonic()
    result = work()
    return time.process_time() - cpu, time.monotonic() - wall, result


def modelmake(texts: list[str]) -> dict[str, Any]:
    import msgspec

    from stages.params.data import Near
    from stages.similarity import near
    from stages.similarity.memo import SearchMemo
    from stages.similarity.packed_texts import PackedTexts

    params = Near(THRESHOLD, CHARS, PERMUTATIONS, BANDS, 1, 1)
    ids = [f"{index * 0x9E3779B97F4A7C15F39CC061 % 2**96:024x}" for index in range(len(texts))]
    memo, warm_up = Path(tempfile.mkdtemp()), Path(tempfile.mkdtemp())
    for count in (100, 100, 110):  # compiles, or loads what is compiled
        near.find_pairs(texts[:count], params, SearchMemo(warm_up, ids[:count], PERMUTATIONS))
    signing_s, wall_s, _ = timed(lambda: near.sign(PackedTexts(texts), params))
    two_threads = msgspec.structs.replace(params, threads=2)
    _, wall_two_s, _ = timed(lambda: near.sign(PackedTexts(texts), two_threads))
    whole_s, _, similar = timed(lambda: near.find_pairs(texts, params))
    before = len(texts) * 100 // 101
    near.find_pairs(texts[:before], params, SearchMemo(memo, ids[:before], PERMUTATIONS))
    more_s, _, again = timed(lambda: near.find_pairs(texts, params, SearchMemo(memo, ids, PERMUTATIONS)))
    assert (again.pairs == similar.pairs).all() and (again.similarities == similar.similarities).all()
    return {
        "s": whole_s, "signature_s": signing_s, "two_threads": wall_s / wall_two_s,
        "add_1_percent_share": more_s / whole_s, "pairs": similar.pairs.tolist(),
    }  # fmt: skip


def exact(texts: list[str]) -> dict[str, Any]:
    from benchmarks.dedup_exact import similar_pairs

    seconds, _, pairs = timed(lambda: similar_pairs(texts, CHARS, THRESHOLD))
    return {"s": seconds, "pairs": pairs.tolist()}


def shingles(text: str) -> set[bytes]:
    plain = " ".join(text.lower().split())
    return {plain[i : i + CHARS].encode() for i in range(max(1, len(plain) - CHARS + 1))}


def datasketch_loop(texts: list[str]) -> dict[str, Any]:
    from datasketch import MinHash, MinHashLSH

    def sign() -> list[MinHash]:
        signatures = []
        for text in texts:
            signature = MinHash(PERMUTATIONS)
            for shingle in shingles(text):
                signature.update(shingle)
            signatures.append(signature)
        return signatures

    return sign_and_search(sign, MinHashLSH(THRESHOLD, PERMUTATIONS))


def datasketch_bulk(texts: list[str]) -> dict[str, Any]:
    import xxhash
    from datasketch import MinHash, MinHashLSH

    def sign() -> list[MinHash]:
        sets = [list(shingles(text)) for text in texts]
        return MinHash.bulk(sets, num_perm=PERMUTATIONS, hashfunc=xxhash.xxh32_intdigest)

    return sign_and_search(sign, MinHashLSH(THRESHOLD, PERMUTATIONS))


def rensa(texts: list[str]) -> dict[str, Any]:
    """Candidates of its index that its signatures estimate at the threshold or above."""
    from rensa import RMinHash, RMinHashLSH

    def sign() -> list[RMinHash]:
        signatures = []
        for text in texts:
            signature = RMinHash(num_perm=PERMUTATIONS, seed=1)
            signature.update([shingle.decode() for shingle in shingles(text)])
            signatures.append(signature)
        return signatures

    index = RMinHashLSH(threshold=THRESHOLD, num_perm=PERMUTATIONS, num_bands=16)
    return sign_and_search(sign, index, lambda a, b: a.jaccard(b) >= THRESHOLD)


def sign_and_search(
    sign: Callable[[], Sequence[Any]], index: Any, accept: Callable[[Any, Any], bool] | None = None
) -> dict[str, Any]:
    """The result of a tool with an LSH index: each signature queries it before it is inserted."""

    def search() -> Pairs:
        pairs: Pairs = set()
        for place, signature in enumerate(signatures):
            candidates = index.query(signature)
            if accept:
                candidates = [other for other in candidates if accept(signature, signatures[other])]
            pairs.update((other, place) for other in candidates)
            index.insert(place, signature)
        return pairs

    signing_s, _, signatures = timed(sign)
    searching_s, _, pairs = timed(search)
    return {"s": signing_s + searching_s, "signature_s": signing_s, "pairs": sorted(pairs)}


def datatrove(texts: list[str]) -> dict[str, Any]:
    """With its defaults: 5-grams of words, 14 buckets of 8 hashes; all pairs within a cluster count."""
    from datatrove.data import Document
    from datatrove.pipeline.dedup import MinhashDedupBuckets, MinhashDedupCluster, MinhashDedupSignature
    from datatrove.pipeline.dedup.minhash import MinhashConfig

    folder, config = tempfile.mkdtemp(), MinhashConfig()
    documents = [Document(text=text, id=str(place)) for place, text in enumerate(texts)]

    def sign() -> None:
        MinhashDedupSignature(f"{folder}/signatures", config).run(iter(documents), 0, 1)

    def search() -> None:
        for bucket in range(config.num_buckets):
            buckets = MinhashDedupBuckets(f"{folder}/signatures", f"{folder}/buckets", config=config)
            buckets.run(None, bucket, config.num_buckets)
        cluster = MinhashDedupCluster(f"{folder}/buckets", f"{folder}/ids", config=config, save_cluster_id=True)
        cluster.run(None, 0, 1)

    signing_s, _, _ = timed(sign)
    searching_s, _, _ = timed(search)
    clusters: dict[int, list[int]] = {}
    for file in sorted(Path(folder, "ids").glob("*.clusters")):
        for place, cluster in struct.iter_unpack("<II", file.read_bytes()):
            clusters.setdefault(cluster, []).append(place)
    pairs = [pair for members in clusters.values() for pair in combinations(sorted(members), 2)]
    return {"s": signing_s + searching_s, "signature_s": signing_s, "pairs": pairs}


if __name__ == "__main__":
    _, tool, source, count, target = sys.argv
    result = globals()[tool](json.loads(Path(source).read_bytes())[: int(count)])
    result["peak_mib"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    Path(target).write_text(json.dumps(result))
