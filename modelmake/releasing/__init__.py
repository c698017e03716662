"""Releases: versions of an artifact, the stages they are in, and their bytes, by tags of git as GTO writes them.

tags.py reads names of tags and what they say together; registry.py reads and makes them with git; contents.py says
which objects a version consists of. checks.py and provenance.py say why a version may not be promoted; decisions.py
promotes and rolls back; pulling.py, with upstream.py, download.py and placing.py, brings a version to a folder.
"""
