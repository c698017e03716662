"""Readers of file containers, one module each: the bytes of a file in, its records out.

A reader takes an open binary file and yields a `Record` or a `Broken` as it goes, so memory holds one record. It tells
what it decides about the whole file.
"""

from stages.reading.containers import delimited, html, json_document, parquet, pdf, plain_text

READERS = {  # by suffix, without that of a compression
    ".json": json_document.read,
    ".jsonl": json_document.read_lines,
    ".ndjson": json_document.read_lines,
    ".csv": delimited.read_csv,
    ".tsv": delimited.read_tsv,
    ".parquet": parquet.read,
    ".txt": plain_text.paragraphs,
    ".md": plain_text.document,
    ".html": html.read,
    ".htm": html.read,
    ".pdf": pdf.read,
}
DOCUMENTS = (".md", ".html", ".htm", ".pdf")  # the whole file is one document
