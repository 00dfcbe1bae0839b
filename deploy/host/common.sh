# Sourced by setup and remove, which root runs: where an installation keeps what, and who acts in it.
#
# An installation is named by its account. Its record says what was chosen and whether the account is ours to remove;
# it is written before anything else, so that what was killed half-way can be completed or taken away.

umask 022
export PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8
unset CDPATH

user=runner
prefix='' base='' home='' account=''
dry_run='' step=''
units=/etc/systemd/system

fail() {
    echo "${0##*/}: $*" >&2
    exit 2
}

# refuse WHAT: the answer is no. What was done so far is whole.
refuse() {
    step=''
    echo "${0##*/}: $*" >&2
    exit 1
}

# Lines are appended one by one: a log that logrotate has moved away meanwhile is made anew.
say() {
    printf '%s\n' "$*"
    if [ -z "$dry_run" ]; then
        printf '%s %s: %s\n' "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "${0##*/}" "$*" >> "$log"
    fi
}

# change WHAT COMMAND...: say what, and do it unless it is only to be said.
change() {
    say "${dry_run:+would }$1"
    if [ -z "$dry_run" ]; then
        "${@:2}"
    fi
}

# Under set -e a failed command ends the script; who reads that must know where, and what to do.
tell_end() {
    local code=$1
    if [ "$code" -ne 0 ] && [ -n "$step" ]; then
        echo "${0##*/}: ended in step \"$step\" (exit $code); mend what it says, and call me again to go on" >&2
    fi
}

# call_steps STEP...: each is a function; it changes what differs from what is wanted, and nothing else.
call_steps() {
    trap 'tell_end $?' EXIT
    for step in "$@"; do
        "$step"
    done
    step=''
}

check_host() {
    [ "$(id -u)" -eq 0 ] || fail "only root can do this: sudo $0 ..."
    if [ ! -f /etc/debian_version ] || ! command -v apt-get > /dev/null; then
        fail "this is no Debian; README.md beside me says what would have to stand where"
    fi
}

check_user() {
    [[ $user =~ ^[a-z_][a-z0-9_-]{0,30}$ ]] || fail "--user $(printf %q "$user"): no name of an account"
    [ "$user" != root ] || fail "--user root: jobs of root could do everything on this host; name an account of its own"
    record=/etc/runner/$user.conf
    log=/var/log/$user-setup.log
    rotation=/etc/logrotate.d/$user-setup
}

read_record() {
    [ -f "$record" ] || return 0
    local key value
    while IFS='=' read -r key value; do
        case $key in prefix | base | home | account) printf -v "$key" %s "$value" ;; esac
    done < "$record"
}

write_record() {
    mkdir -p "${record%/*}"
    printf '%s\n' "prefix=$prefix" "base=$base" "home=$home" "account=$account" > "$record.new"
    mv "$record.new" "$record"
}

# systemctl may be there where systemd does not run: in a root that is only being made.
has_systemd() {
    [ -d /run/systemd/system ]
}

# tell_systemd WORD...
tell_systemd() {
    [ -n "$dry_run" ] || ! has_systemd || systemctl "$@"
}

has_account() {
    getent passwd "$user" > /dev/null
}

# The command of this host's people; for root it becomes the account.
runner() {
    "$prefix/bin/runner" "$@"
}
