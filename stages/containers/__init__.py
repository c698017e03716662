"""One container a file: bytes of a file in, its records out, each with the line (or row, or page) it begins on.

A reader takes an open file and yields as it goes: memory holds one record, not the file.
"""

from stages.containers import columns, lines, markup, pdf, tables, texts, values

READERS = {  # by suffix, compression taken off
    ".json": values.read,
    ".jsonl": lines.read,
    ".ndjson": lines.read,
    ".csv": tables.read_csv,
    ".tsv": tables.read_tsv,
    ".parquet": columns.read,
    ".txt": texts.paragraphs,
    ".md": texts.document,
    ".html": markup.read,
    ".htm": markup.read,
    ".pdf": pdf.read,
}
DOCUMENTS = (".md", ".html", ".htm", ".pdf")  # one document a file
