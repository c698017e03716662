# Snakemake schedules, DVC decides: a stage becomes a job once all that it needs is done and `dvc status` still calls it
# stale. Its job is `dvc repro -s`; cores, memory, GPUs and minutes are those of its `meta` in dvc.yaml.
import functools, os, shutil, sys, uuid
from modelmake.dvc import graph
# this environment's dvc and python; and stages may run where preflight does not: it refuses no lack of a GPU
os.environ.update(PATH=f"{os.path.dirname(sys.executable)}:{os.environ['PATH']}", MODELMAKE_SCHEDULER="snakemake")
NODES = graph.nodes(".")
META = {name: {"cpus": 1, "mem_mb": 1000, "gpu": 0, "minutes": 60} | node.meta for name, node in NODES.items()}
RUN = f".dvc/tmp/snakemake/{uuid.uuid4().hex[:8]}"  # a token in it says that this run has done a stage
stale = functools.cache(lambda *names: graph.stale(".", *names).keys())

def tokens(name):
    """Of the jobs behind a stage, its own included; while one is to come, raises what makes Snakemake run it."""
    if workflow.dryrun:  # only what is stale now: what that will change is known once it has run
        return {f"{RUN}/{name}"} if name in stale() else set()
    found = set().union(*map(tokens, NODES[name].needs))
    if name in (stale(name) if found else stale()):
        found.add(checkpoints.stage.get(run=RUN, stage=name).output[0])
    return found

rule all:
    input: [lambda _, name=name: tokens(name) for name in NODES]
    output: touch(f"{RUN}/.all")
    message: "every stage is up to date"
    localrule: True
checkpoint stage:
    output: touch("{run}/{stage}")
    wildcard_constraints: run=r"\.dvc/tmp/snakemake/[0-9a-f]+"
    message: "{wildcards.stage}"
    threads: lambda w: META[w.stage]["cpus"]
    resources:
        mem_mb=lambda w: META[w.stage]["mem_mb"], runtime=lambda w: META[w.stage]["minutes"],
        gpu=lambda w: META[w.stage]["gpu"] or None,  # none, not 0: executors ask only whether it is there
    shell: "dvc --wait-for-lock repro -s {wildcards.stage:q}"
onsuccess:
    shutil.rmtree(RUN)
    if left := [name for name, why in graph.stale(".").items() if why != ["always changed"]]:
        raise WorkflowError(f"{', '.join(left)}: stale again: something was edited meanwhile; run snakemake again")
onerror:
    shutil.rmtree(RUN, ignore_errors=True)
