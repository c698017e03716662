"""Edits of modelmake itself, as an upgrade brings them. A stage has to run if they reach what its `main` is given."""

from benchmarks.edits.edit import ALL, ANSWER, TRAIN, Edit, both, replace, upgrade

EDITS = {
    "how often processes are looked at": Edit(
        replace("modelmake/running/supervision.py", "INTERVAL_S = 0.3 ", "INTERVAL_S = 0.31 "), (),
        "no stage sees who watches it", suite=True,
    ),
    "words of messages": Edit(
        both(
            replace("modelmake/harness.py", "changed while the stage ran:", "changed while it ran:"),
            replace("modelmake/param_problems.py", "unknown key;", "no such key;"),
            replace("modelmake/running/sandbox.py", "runs it in this clone:", "runs it here:"),
        ),
        (), "a stage that ends with a message publishes nothing", suite=True,
    ),
    "how much finished work is kept": Edit(
        replace("modelmake/running/work_store.py", "KEPT_IDENTITIES = 2 ", "KEPT_IDENTITIES = 3 "), (),
        "outputs are moved, whichever are kept", suite=True,
    ),
    "a field of the run log": Edit(
        replace("modelmake/running/run_log.py", "[run]", "[{**run, 'more': 1}]"), (), "it is part of no artifact",
        suite=True,
    ),
    "the package that watches processes": Edit(
        upgrade("psutil"), {"base", *TRAIN, "merge@sft", "merge@dpo", *ANSWER, "answer_quantized@Q8_0"},
        "libraries of these stages need it too; of the others only the harness does",
    ),
    "how parameters are typed": Edit(
        replace("modelmake/params.py", "msgspec.convert(value, kind)", "msgspec.convert(value, kind, strict=True)"),
        ALL, "every stage is given parameters by it",
    ),
    "the layout of sandboxes": Edit(
        replace("modelmake/running/sandbox_layout.py", "MAX_COPY_BYTES = 64 << 20 ", "MAX_COPY_BYTES = 63 << 20 "),
        ALL, "every stage finds its inputs there",
    ),
}  # fmt: skip
