#!/bin/sh
# Starts workerd so that the kernel ends it when its parent ends, however that ends (prctl(2), PR_SET_PDEATHSIG): an orphan would hold the
# port and write to the state of the next start.
exec setpriv --pdeathsig KILL -- "$BECKET_WORKERD" "$@"
