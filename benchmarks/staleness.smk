# The same graph as a plain Snakefile, a rule a stage, written as Snakemake's documentation advises: inputs with the
# script among them, outputs, params from the config file, the command; its own default triggers decide what reruns.
import json, os, sys
from pathlib import Path

SETTINGS = json.loads(os.environ["STALENESS"])
sys.path.insert(0, SETTINGS["here"])
from staleness_replay import described, values

configfile: "params.yaml"

WORK = Path(SETTINGS["work"])
STAGES = json.loads(Path(f"{described(WORK, values(WORK))}.stages").read_bytes())
WRITES = {  # what is in folders of which later rules take single files
    "data/splits": [f"data/splits/{s}/{k}.jsonl" for s in ("train", "val", "test") for k in ("chat", "pair", "text")],
}
OUTS = [file for stage in STAGES.values() for out in stage["outs"] for file in WRITES.get(out, [out])]


def files(dep):
    """What a rule takes for a dependency: outputs in it, or the files of a folder that no rule makes."""
    made = [out for out in OUTS if Path(out).is_relative_to(dep)]
    if made or not Path(dep).is_dir():
        return made or [dep]
    return sorted(str(file) for file in Path(dep).rglob("*") if file.is_file() and "__pycache__" not in file.parts)


def value(dotted):
    found = config
    for name in dotted.split("."):
        found = found[name]
    return json.dumps(found, sort_keys=True)


rule all:
    input: OUTS

rule preflight:
    input: "params.yaml"
    output: "keys/graph.json"
    shell: "python -m stages.preflight --keys keys"

for name, stage in STAGES.items():
    rule:
        name: name.replace("@", "_").replace("-", "_")
        input:
            [f for dep in stage["deps"] if dep == "keys/graph.json" or not dep.startswith("keys/") for f in files(dep)],
            f"{stage['module'].replace('.', '/')}.py",
        output: [f if Path(f).suffix else directory(f) for out in stage["outs"] for f in WRITES.get(out, [out])]
        params: command=stage["cmd"], **{dotted.replace(".", "_"): value(dotted) for dotted in stage["params"]}
        shell: "{params.command}"
