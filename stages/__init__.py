"""Stages of the graph: one module a stage, its helpers in the folders below.

Importing this package sets the environment of the libraries that stages use, before any of them is imported: offline
unless HF_HUB_OFFLINE=0, no telemetry, no progress bars in a log, only errors on the console. In the process of a stage
it also imports code that people edit by its content, begins the watch of what they read, lets numeric libraries start
with one thread, and sets the time zone to UTC.
"""

import logging
import os
import sys
import time
import warnings

from modelmake.running import own_code

if sys.argv[0] == "-m":  # `python -m stages.<stage>` imports this package before the stage's module
    own_code.import_by_content()
    from modelmake.running import opened_files, threads

    opened_files.watch()
    threads.limit(1)
    os.environ["TZ"] = "UTC"  # of times without a zone
    time.tzset()
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("HF_DATASETS_OFFLINE", "1")
os.environ.update(
    HF_HUB_DISABLE_PROGRESS_BARS="0" if sys.stderr.isatty() else "1",
    HF_DATASETS_DISABLE_PROGRESS_BARS="0" if sys.stderr.isatty() else "1",
    HF_HUB_DISABLE_TELEMETRY="1",
    TRANSFORMERS_VERBOSITY="error",
    TOKENIZERS_PARALLELISM="false",  # its threads and forked data loaders deadlock
)
logging.getLogger("bitsandbytes").setLevel(logging.ERROR)  # it recommends a package that runs code of the hub
warnings.simplefilter("ignore", FutureWarning)  # renames announced by libraries are not the user's to mend
