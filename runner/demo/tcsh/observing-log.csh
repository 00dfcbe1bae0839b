#!/bin/tcsh -f
# List the exposures of the night for the observers' wiki.
set nonomatch
set count = 0

echo "|| exposure || bytes ||"
foreach file ($DATA/*_flt.fits)
    if (! -e $file) continue
    @ count++
    echo "| $file:t:s/_flt.fits// | `wc -c < $file` |"
end
echo "slot ${RUNNER_SLOT}: $count exposures"
