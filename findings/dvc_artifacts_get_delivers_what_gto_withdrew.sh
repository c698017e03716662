#!/usr/bin/env bash
# dvc 3.67.1 and gto 1.10.1, a model with two versions in one stage, of which the newer is withdrawn.
#
# A good guess: after `gto deprecate model v2.0.0` nobody is given the withdrawn version by asking for the stage.
# Seen: `gto show model#prod` answers with the older version, without a word. `dvc artifacts get --stage prod` goes by
# the last tag of the stage, whatever it says, and delivers the withdrawn bytes; so it does after a version is taken out
# of the stage. The two tools of one registry name different models.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
uv venv -q --python 3.11 "$folder/env"
uv pip install -q --python "$folder/env/bin/python" dvc==3.67.1 gto==1.10.1
export PATH="$folder/env/bin:$PATH" DVC_SITE_CACHE_DIR="$folder/site" GIT_CONFIG_GLOBAL=/dev/null DVC_NO_ANALYTICS=1
export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@example.org GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@example.org
mkdir "$folder/project" && cd "$folder/project"
git init -q -b main && dvc init -q
printf 'artifacts:\n  model: {path: model.bin, type: model}\n' > dvc.yaml
for version in v1.0.0 v2.0.0; do
  echo "the bytes of $version" > model.bin
  dvc add -q model.bin
  git add -A && git commit -qm "$version"
  gto register model --version "$version" > /dev/null
  sleep 1.1
  gto assign model --version "$version" --stage prod > /dev/null
  sleep 1.1
done
gto deprecate model v2.0.0 > /dev/null
shown=$(gto show model#prod --json | grep -o '"version": *"v[^"]*"' | sort -u | tr -d ' \n')
dvc artifacts get -q . model --stage prod -o ../got
echo "dvc $(dvc --version); v2.0.0 is withdrawn; gto show model#prod: $shown"
echo "dvc artifacts get --stage prod: $(cat ../got)"
[[ $shown == *v1.0.0* && $shown != *v2.0.0* ]]
[[ $(cat ../got) == "the bytes of v2.0.0" ]]
