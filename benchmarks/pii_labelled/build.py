#!/usr/bin/env python3
"""marked.txt -> pii.jsonl. One text a line; lines starting with //== are comments,
⏎ stands for a newline, ⟦kind|value⟧ marks a span."""
import collections, json, re, sys
KINDS = "email phone iban card ip api_key national_id".split()
MARK = re.compile(r"⟦(\w+)\|([^⟦⟧]*)⟧")
rows, count, empty, seen = [], collections.Counter(), 0, set()
for n, line in enumerate(open("marked.txt", encoding="utf-8"), 1):
    line = line.rstrip("\n")
    if not line or line.startswith("//=="):
        continue
    line, out, spans, pos, length = line.replace("⏎", "\n"), [], [], 0, 0
    for m in MARK.finditer(line):
        plain, kind, value = line[pos:m.start()], m[1], m[2]
        assert kind in KINDS, (n, kind)
        assert value and value == value.strip(), (n, value)
        start = length + len(plain)
        length = start + len(value)
        spans.append({"start": start, "end": length, "kind": kind})
        out += [plain, value]
        pos = m.end()
        count[kind] += 1
    text = "".join(out) + line[pos:]
    assert not re.search("[⟦⟧⏎]", text), (n, "mark left")
    assert text not in seen, (n, "same text twice")
    assert all(a["end"] <= b["start"] for a, b in zip(spans, spans[1:])), n
    seen.add(text)
    empty += not spans
    rows.append({"text": text, "spans": spans})
with open("pii.jsonl", "w", encoding="utf-8") as f:
    for r in rows:
        f.write(json.dumps(r, ensure_ascii=False) + "\n")
print(len(rows), "texts,", empty, "without spans;", dict(count), sum(count.values()), "spans")
