#!/usr/bin/env bash
# uv 0.13.9, a package in a folder (`tool.uv.sources`: `ours = { path = "../ours" }`), of which a module is edited.
#
# A good guess: `uv sync`, or `uv run`, installs what is in the folder.
# Seen: the copy stays as it was: uv makes it anew when pyproject.toml, setup.py or setup.cfg changes, not when a module
# does. With `editable = true` the edit runs. Once that is taken away again, the copy of before the edit comes back from
# uv's cache: the folder, the lock and the version say nothing of it. `--reinstall-package ours` helps, or
# `tool.uv.cache-keys` in the pyproject.toml of ours.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
export UV_CACHE_DIR=$folder/cache UV_PYTHON=3.11
unset VIRTUAL_ENV
mkdir -p "$folder/ours/src/ours" "$folder/app"
cat > "$folder/ours/pyproject.toml" <<'TOML'
[project]
name = "ours"
version = "1.0"
requires-python = ">=3.11"
[build-system]
requires = ["uv_build"]
build-backend = "uv_build"
TOML
project() {
  cat > "$folder/app/pyproject.toml" <<TOML
[project]
name = "app"
version = "1.0"
requires-python = ">=3.11"
dependencies = ["ours"]
[tool.uv.sources]
ours = { path = "../ours"$1 }
TOML
}
runs() {
  uv run -q --project "$folder/app" "$@" python -c "import ours; print(ours.CODE)"
}
project ""
echo "CODE = 'before the edit'" > "$folder/ours/src/ours/__init__.py"
echo "installed:                  $(runs)"
echo "CODE = 'after the edit'" > "$folder/ours/src/ours/__init__.py"
stays=$(runs)
echo "edited, uv run:             $stays"
project ", editable = true"
echo "editable:                   $(runs)"
project ""
back=$(runs)
echo "no longer editable:         $back"
echo "with --reinstall-package:   $(runs --reinstall-package ours)"
[ "$stays" = "before the edit" ] && [ "$back" = "before the edit" ] || { echo "uv renews the copy now"; exit 1; }
