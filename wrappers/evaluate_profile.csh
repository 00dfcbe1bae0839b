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
set _runner_code = "`/usr/bin/printenv RUNNER_ACTIVATE_SOFT`"
# An exit would only leave this file.
if ($_runner_failed && ! $?prompt && "$_runner_code" != 1) exec /bin/sh -c 'exit 2'
/bin/sh -c "exit $_runner_failed"
