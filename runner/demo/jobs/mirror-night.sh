#!/bin/sh
# Hangs, as a copy to a dead file server does. The sleep is a process of its own: the timeout ends it too.
echo "slot $RUNNER_SLOT: copying to backup.example.org"
sleep 3600 &
wait
