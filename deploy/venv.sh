# Sourced by the scripts beside it: the project's own virtual environment, on a machine that has only Python.
#
# use_venv [EXTRA] makes and fills it where that is still to be done. Afterwards `venv` is its directory (that
# of RUNNER_VENV, else .venv in the checkout) and `repo` the checkout. The package is installed editable: the
# checkout is the template of new homes, and a change in it needs no further installation.

repo=$(CDPATH='' cd -P -- "$(dirname -- "$0")/.." && pwd)
venv=${RUNNER_VENV:-$repo/.venv}
case $venv in /*) ;; *) venv=$PWD/$venv ;; esac

use_venv() {
    # An empty HOME would mean the root directory to pip, and one that is read-only can hold no cache.
    [ -n "${HOME:-}" ] || unset HOME
    [ -w "${HOME:-}" ] || export PIP_NO_CACHE_DIR=1
    # Installed once: again only when pyproject.toml has changed, or the checkout has moved.
    wanted="$(cksum < "$repo/pyproject.toml") $repo"
    if "$venv/bin/python" -I -c 'import pip' 2> /dev/null; then
        [ "$(cat "$venv/installed-${1:-base}" 2> /dev/null)" = "$wanted" ] && return
    else
        make_venv
    fi
    echo "installing what the runner needs into $venv; this happens once" >&2
    "$venv/bin/python" -I -m pip install --quiet --disable-pip-version-check --no-input --editable "$repo${1:+[$1]}"
    for extra in base ${1:-}; do
        echo "$wanted" > "$venv/installed-$extra"
    done
}

make_venv() {
    python=$(find_python) || fail "no Python 3.11 or newer on PATH; remedy: apt install python3"
    if [ -e "$venv" ] && [ ! -e "$venv/pyvenv.cfg" ] && [ -n "$(ls -A "$venv")" ]; then
        fail "$venv is no virtual environment and not empty; name another directory in RUNNER_VENV"
    fi
    if "$python" -I -m venv --clear "$venv" > /dev/null 2>&1; then
        return
    fi
    # Debian keeps ensurepip in a package of its own (python3-venv): pip then comes from the system or from PyPI.
    "$python" -I -m venv --clear --without-pip "$venv" || fail "cannot make $venv; remedy: apt install python3-venv"
    if "$python" -I -m pip --version > /dev/null 2>&1; then
        "$python" -I -m pip --python "$venv/bin/python" install --quiet --disable-pip-version-check pip
    else
        "$venv/bin/python" -I "$repo/deploy/get_pip.py"
    fi || fail "no pip for $venv; remedy: apt install python3-venv"
}

find_python() {
    for name in python3.13 python3.12 python3.11 python3; do
        if "$name" -I -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2> /dev/null; then
            command -v "$name"
            return
        fi
    done
    return 1
}

fail() {
    echo "${0##*/}: $*" >&2
    exit 1
}
