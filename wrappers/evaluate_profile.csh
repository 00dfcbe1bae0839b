# What the aliases of activate_profile.csh source, with activate NAME or deactivate. The code goes by way of a file:
# between backquotes a csh would take the newlines out of it.
set _runner_code = "`/bin/mktemp`"
set _runner_failed = $status
if (! $_runner_failed) then
    $_runner_home:q/.runner/bin/runner --home $_runner_home:q profile $argv[1] --shell tcsh -- $argv[2-]:q >! $_runner_code:q
    set _runner_failed = $status
endif
if (! $_runner_failed) then
    source $_runner_code:q
    set _runner_failed = $status
endif
if ($_runner_failed) set _runner_failed = 2
/bin/rm -f $_runner_code:q
set _runner_soft = $?prompt
if ($?RUNNER_ACTIVATE_SOFT) then
    if ("$RUNNER_ACTIVATE_SOFT" == 1) set _runner_soft = 1
endif
# An exit would only leave this file.
if ($_runner_failed && ! $_runner_soft) exec /bin/sh -c 'exit 2'
/bin/sh -c "exit $_runner_failed"
