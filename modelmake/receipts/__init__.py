"""Receipts of a release: what its files are, what they were made of, and a signature over all of it.

released.py    which outputs of a commit's build the files of a folder are, and the chain of stages that made them
statement.py   that as an in-toto statement with SLSA provenance; the project's domain makes the CycloneDX document
documents.py   both as bytes that depend on the commit and the files alone
signing.py     a signature of the folder by OpenSSF model-signing, in its own environment, and its check
identified.py  `modelmake verify FILE`: which recorded output a file found anywhere is, or what differs from the nearest
"""
