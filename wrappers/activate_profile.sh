# For bash: . wrappers/activate_profile.sh defines activate_profile NAME, which brings a profile into this shell (and
# takes out another one), and deactivate_profile, which restores what was there. Fit for set -eu.
# A shell that runs a script ends with 2 if a profile cannot be activated, so that nothing runs in the wrong
# environment; RUNNER_ACTIVATE_SOFT=1 makes it a mere exit code.
_runner_home=$(cd -P -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")/.." && pwd)

activate_profile() { _runner_evaluate activate --shell bash -- "$@"; }
deactivate_profile() { _runner_evaluate deactivate --shell bash -- "$@"; }

_runner_evaluate() {
    local code
    if code=$("$_runner_home/.runner/bin/runner" --home "$_runner_home" profile "$@") && eval "$code"; then
        return 0
    fi
    case $- in *i*) return 2 ;; esac
    if [ "${RUNNER_ACTIVATE_SOFT-}" = 1 ]; then return 2; fi
    exit 2
}
