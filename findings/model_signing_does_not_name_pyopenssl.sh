#!/usr/bin/env bash
# model-signing 1.1.1, installed alone, and its documented Python API for keys in files.
#
# A good guess: what `pip install model-signing` brings is enough to sign with a key.
# Seen: `import model_signing.signing` ends with `No module named 'OpenSSL'`: it imports pyOpenSSL for certificates, whichever
# way one signs, and does not name it among its dependencies. With pyopenssl installed beside it the same line works.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
uv venv -q --python 3.11 "$folder/env"
uv pip install -q --python "$folder/env/bin/python" model-signing==1.1.1
"$folder/env/bin/python" -W error::ImportWarning - <<'PYTHON'
import importlib.metadata

print("model-signing", importlib.metadata.version("model-signing"))
try:
    import model_signing.signing
except ModuleNotFoundError as error:
    print("without pyopenssl:", error)
    assert error.name == "OpenSSL", error
else:
    raise SystemExit("it can be imported alone now")
PYTHON
uv pip install -q --python "$folder/env/bin/python" pyopenssl
"$folder/env/bin/python" -c 'import model_signing.signing; print("with pyopenssl: imported")'
