# For tcsh: source wrappers/activate_profile.csh defines activate_profile NAME, which brings a profile into this shell
# (and takes out another one), and deactivate_profile, which restores what was there.
# A shell that runs a script ends with 2 if a profile cannot be activated, so that nothing runs in the wrong
# environment; after setenv RUNNER_ACTIVATE_SOFT 1 that is a mere status.

# A csh is not told which file it is sourcing, but it has it open.
set _runner_home = "`/usr/bin/find /proc/$$/fd -lname '*/wrappers/activate_profile.csh' -printf '%l\n'`"
set _runner_home = $_runner_home[$#_runner_home]:h:q
set _runner_home = $_runner_home:h:q
alias activate_profile 'source $_runner_home:q/wrappers/evaluate_profile.csh activate \!*'
alias deactivate_profile 'source $_runner_home:q/wrappers/evaluate_profile.csh deactivate \!*'
