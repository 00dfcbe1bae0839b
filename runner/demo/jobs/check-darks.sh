#!/bin/sh
# Fail unless DATA holds enough dark frames: check-darks.sh COUNT
set -eu

found=$(ls "$DATA" | grep -c '_drk\.fits$' || true)
echo "slot $RUNNER_SLOT: $found dark frames in $DATA"
if [ "$found" -lt "$1" ]; then
    echo "check-darks: $found of $1 dark frames found; the dark current cannot be subtracted" >&2
    exit 3
fi
