#!/bin/sh
# Is there room for the next files, and do they still come? disk-check.sh FREE_MIB AGE_HOURS
# A finding is a line on stderr with exit 0: the run counts as `warned` and the team is told.
set -eu
mkdir -p "$DATA"

free_mib=$(df -Pk "$DATA" | awk 'NR == 2 { print int($4 / 1024) }')
echo "slot $RUNNER_SLOT: $free_mib MiB free on the file system of $DATA"
[ "$free_mib" -ge "$1" ] || echo "disk-check: only $free_mib MiB free for $DATA, at least $1 wanted" >&2

newest=$(ls -tr "$DATA" | grep '\.fits$' | tail -n 1)
[ -n "$newest" ] || exit 0                  # nothing was ever downloaded: nothing is late
hours=$(( ($(date +%s) - $(date -r "$DATA/$newest" +%s)) / 3600 ))
echo "newest file: $newest, $hours h old"
[ "$hours" -le "$2" ] || echo "disk-check: no new file for $hours h, the newest is $newest" >&2
