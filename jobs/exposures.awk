#!/usr/bin/awk -f
# Exposures and exposure time of each filter, from header cards, one a line: exposures.awk CARDS

function value_of(card,    parts) {          # KEYWORD = 'text    ' / comment, or KEYWORD = 12.5 / comment
    if (split(card, parts, "'") == 1)
        return substr(card, 11) + 0
    sub(/ *$/, "", parts[2])
    return parts[2]
}

/^SIMPLE  =/        { in_header = 1; filter = ""; seconds = 0 }
!in_header          { next }
/^FILTER  =/        { filter = value_of($0) }
/^EXPTIME =/        { seconds = value_of($0) }
/^END *$/           { in_header = 0; if (filter != "") { count[filter]++; total[filter] += seconds } }

END {
    print "exposures at slot " ENVIRON["RUNNER_SLOT"]
    for (filter in count)
        printf "%-8s %3d exposures %9.1f s\n", filter, count[filter], total[filter] | "sort"
}
