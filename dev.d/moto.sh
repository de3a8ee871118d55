#!/usr/bin/env bash
# Prints the path of a Python that has moto's server, after installing it from PyPI into a cache
# folder when it is not there yet. Exit 77: it cannot be had here.
#
#   python=$(dev.d/moto.sh)      TRIMTAB_TEST_CACHE names another folder
set -uo pipefail

wanted=$(dirname "$0")/../tests/clouds/aws/requirements.txt
cache=${TRIMTAB_TEST_CACHE:-${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/trimtab}
folder=$cache/moto-$(sha256sum <"$wanted" | cut -c1-12)
python=$folder/bin/python3

if [ ! -e "$folder/ready" ]; then
    mkdir -p "$cache" || exit 77
    exec 9>"$cache/moto.lock"
    flock 9
fi
if [ ! -e "$folder/ready" ]; then
    {
        python3 -m venv --clear "$folder" &&
            "$folder/bin/pip" install --quiet --disable-pip-version-check -r "$wanted" &&
            touch "$folder/ready"
    } >&2 || {
        echo "moto.sh: moto cannot be installed from PyPI (python3-venv and the network are needed)" >&2
        exit 77
    }
fi
printf '%s\n' "$python"
