"""DVC: the graph, dvc.lock, cache and remotes. `internals.py` alone imports DVC.

After an upgrade of DVC run tests/modelmake/dvc and tests/modelmake/planning. They hold what modelmake relies on:

internals.py, installed/              DVC's functions; what is changed in DVC when it starts
graph.py, reproduction.py, stores.py  attributes of DVC's stages, outputs and stores
cache.py                              the layout of cache and run-cache
planning/forecast.py                  DVC's decisions what to run, restore or check out
tracing/lock_entries.py               the text of dvc.lock
"""
