"""One search for near-duplicates, in a process of its own: `dedup_tools.py TOOL TEXTS.json COUNT RESULT.json`.

The result: {"s": CPU seconds, "peak_mib", "pairs": [[first, second], …], and what else a tool has to say}.
"""

import json
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from itertools import combinations
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))
THRESHOLD, CHARS, PERMUTATIONS, BANDS = 0.85, 5, 128, 21


def timed(work: Callable[[], Any]) -> tuple[float, float, Any]:
    """CPU seconds, wall seconds, and what the work returns."""
    cpu, wall = time.process_time(), time.monotonic()
    result = work()
    return time.process_time() - cpu, time.monotonic() - wall, result


def modelmake(texts: list[str]) -> dict[str, Any]:
    import msgspec

    from stages.params.data import Near
    from stages.similarity import near
    from stages.similarity.memo import SearchMemo
    from stages.similarity.packed_texts import PackedTexts

    one = Near(THRESHOLD, CHARS, PERMUTATIONS, BANDS, 1, 1)
    ids = [f"{index * 0x9E3779B97F4A7C15F39CC061 % 2**96:024x}" for index in range(len(texts))]
    memo, before = Path(tempfile.mkdtemp()), len(texts) * 100 // 101
    warm = Path(tempfile.mkdtemp())
    for _ in range(2):  # compiled, or loaded as compiled
        near.find_pairs(texts[:100], one, SearchMemo(warm, ids[:100], PERMUTATIONS))
    near.find_pairs(texts[:110], one, SearchMemo(warm, ids[:110], PERMUTATIONS))
    signing, wall, _ = timed(lambda: near.sign(PackedTexts(texts), one))
    _, wall_two, _ = timed(lambda: near.sign(PackedTexts(texts), msgspec.structs.replace(one, threads=2)))
    whole, _, found = timed(lambda: near.find_pairs(texts, one))
    near.find_pairs(texts[:before], one, SearchMemo(memo, ids[:before], PERMUTATIONS))
    more, _, again = timed(lambda: near.find_pairs(texts, one, SearchMemo(memo, ids, PERMUTATIONS)))
    assert (again.pairs == found.pairs).all() and (again.similarities == found.similarities).all()
    return {
        "s": whole, "signature_s": signing, "two_threads": wall / wall_two, "add_1_percent_share": more / whole,
        "pairs": found.pairs.tolist(),
    }  # fmt: skip


def exact(texts: list[str]) -> dict[str, Any]:
    from benchmarks.dedup_exact import alike

    seconds, _, pairs = timed(lambda: alike(texts, CHARS, THRESHOLD))
    return {"s": seconds, "pairs": pairs.tolist()}


def shingled(text: str) -> set[bytes]:
    plain = " ".join(text.lower().split())
    return {plain[i : i + CHARS].encode() for i in range(max(1, len(plain) - CHARS + 1))}


def datasketch_loop(texts: list[str]) -> dict[str, Any]:
    from datasketch import MinHash, MinHashLSH

    def sign() -> list[MinHash]:
        found = []
        for text in texts:
            signature = MinHash(PERMUTATIONS)
            for shingle in shingled(text):
                signature.update(shingle)
            found.append(signature)
        return found

    def search() -> set[tuple[int, int]]:
        index, pairs = MinHashLSH(THRESHOLD, PERMUTATIONS), set()
        for place, signature in enumerate(signatures):
            pairs.update((other, place) for other in index.query(signature))
            index.insert(place, signature)
        return pairs

    signing, _, signatures = timed(sign)
    searching, _, pairs = timed(search)
    return {"s": signing + searching, "signature_s": signing, "pairs": sorted(pairs)}


def datasketch_bulk(texts: list[str]) -> dict[str, Any]:
    import xxhash
    from datasketch import MinHash, MinHashLSH

    def sign() -> list[MinHash]:
        sets = [list(shingled(text)) for text in texts]
        return MinHash.bulk(sets, num_perm=PERMUTATIONS, hashfunc=xxhash.xxh32_intdigest)

    def search() -> set[tuple[int, int]]:
        index, pairs = MinHashLSH(THRESHOLD, PERMUTATIONS), set()
        for place, signature in enumerate(signatures):
            pairs.update((other, place) for other in index.query(signature))
            index.insert(place, signature)
        return pairs

    signing, _, signatures = timed(sign)
    searching, _, pairs = timed(search)
    return {"s": signing + searching, "signature_s": signing, "pairs": sorted(pairs)}


def rensa(texts: list[str]) -> dict[str, Any]:
    from rensa import RMinHash, RMinHashLSH

    def sign() -> list[Any]:
        found = []
        for text in texts:
            signature = RMinHash(num_perm=PERMUTATIONS, seed=1)
            signature.update([shingle.decode() for shingle in shingled(text)])
            found.append(signature)
        return found

    def search() -> set[tuple[int, int]]:
        index, pairs = RMinHashLSH(threshold=THRESHOLD, num_perm=PERMUTATIONS, num_bands=16), set()
        for place, signature in enumerate(signatures):
            near = (o for o in index.query(signature) if signature.jaccard(signatures[o]) >= THRESHOLD)
            pairs.update((other, place) for other in near)
            index.insert(place, signature)
        return pairs

    signing, _, signatures = timed(sign)
    searching, _, pairs = timed(search)
    return {"s": signing + searching, "signature_s": signing, "pairs": sorted(pairs)}


def datatrove(texts: list[str]) -> dict[str, Any]:
    """Its defaults: 5-grams of words, 14 buckets of 8 hashes; clusters, of which all pairs count."""
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

    signing, _, _ = timed(sign)
    searching, _, _ = timed(search)
    clusters: dict[int, list[int]] = {}
    for file in sorted(Path(folder, "ids").glob("*.clusters")):
        import struct

        for place, cluster in struct.iter_unpack("<II", file.read_bytes()):
            clusters.setdefault(cluster, []).append(place)
    pairs = [pair for members in clusters.values() for pair in combinations(sorted(members), 2)]
    return {"s": signing + searching, "signature_s": signing, "pairs": pairs}


if __name__ == "__main__":
    _, tool, source, count, target = sys.argv
    result = globals()[tool](json.loads(Path(source).read_bytes())[: int(count)])
    result["peak_mib"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    Path(target).write_text(json.dumps(result))
