"""DVC: the graph, dvc.lock, cache and remotes. `internals.py` alone imports DVC."""
