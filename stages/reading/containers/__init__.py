"""One container a file: bytes of a file in, its records out, each with the line (or row, or page) it begins on.

A reader takes an open file and yields as it goes: memory holds one record, not the file.
"""

from stages.reading.containers import delimited, html, json_document, jsonl, parquet, pdf, plain_text

READERS = {  # by suffix, compression taken off
    ".json": json_document.read,
    ".jsonl": jsonl.read,
    ".ndjson": jsonl.read,
    ".csv": delimited.read_csv,
    ".tsv": delimited.read_tsv,
    ".parquet": parquet.read,
    ".txt": plain_text.paragraphs,
    ".md": plain_text.document,
    ".html": html.read,
    ".htm": html.read,
    ".pdf": pdf.read,
}
DOCUMENTS = (".md", ".html", ".htm", ".pdf")  # one document a file
