#!/bin/sh
# Write the header cards of the primary unit of each FITS file in DATA, one a line: cards.sh OUTPUT
# FITS has no lines: a card is 80 bytes, and the first 28800 bytes hold 360 of them. What follows the END card
# is data; exposures.awk stops reading there.
set -eu
export LC_ALL=C

for file in "$DATA"/*.fits; do
    [ -s "$file" ] || continue
    head -c 28800 "$file" | tr '\000\n' '  ' | fold -b -w 80
    echo
done > "$1"
