#!/usr/bin/env bash
# dvc 3.67.1, a stage that depends on a folder in which there are a link to a file and a link to another folder.
#
# A good guess: both are followed, as the command follows both, and as DVC follows a dependency that is itself a link.
# Seen: the file behind the first link is hashed. What is behind the second is neither hashed nor counted, and no word is
# said: `dvc repro` calls the stage up to date whatever changes there.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
uv venv -q --python 3.11 "$folder/env"
uv pip install -q --python "$folder/env/bin/python" dvc==3.67.1
export PATH=$folder/env/bin:$PATH DVC_NO_ANALYTICS=1 DVC_SITE_CACHE_DIR=$folder/site
mkdir -p "$folder/project/data" "$folder/project/elsewhere/more"
cd "$folder/project"
git init -q
dvc init -q
echo "one file" > elsewhere/file.txt
echo "one row" > elsewhere/more/rows.txt
ln -s ../elsewhere/file.txt data/file.txt
ln -s ../elsewhere/more data/more
dvc stage add -q -n join -d data -o joined.txt "cat data/file.txt data/more/rows.txt > joined.txt"
build() {
  dvc repro -q
  echo "$1: $(paste -sd , joined.txt); dvc.lock counts $(sed -n 's/ *nfiles: //p' dvc.lock) of 2 files"
}
build "built"
echo "another file" > elsewhere/file.txt
build "file behind a link edited"
echo "another row" > elsewhere/more/rows.txt
build "file in a linked folder edited"
dvc status
if grep -q "another row" joined.txt; then
  echo "dvc looks behind links to folders now"
  exit 1
fi
