#!/bin/tcsh -f
# As with-profile, for those to whom everything is a csh: with-profile.csh NAME COMMAND [ARGUMENT...].
# No csh can pass on its words as they are, it loses empty ones: they travel in the kernel's own record of them.
set self = "`/usr/bin/readlink -f -- $0:q`"
if (! -x $self:h:q/../.runner/python) exec $self:h:q/with-profile
set words = "`/bin/mktemp`"
if ($status) exit 126
/bin/cat /proc/$$/cmdline >! $words:q
exec $self:h:q/with-profile --words $words:q $#argv
