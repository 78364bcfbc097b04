#!/bin/sh
# Starts workerd for Miniflare, with what Miniflare has no option for: the kernel ends it when its parent ends, however that ends (prctl(2),
# PR_SET_PDEATHSIG; Linux). An orphan would write to the state of the next start.
for setpriv in /usr/bin/setpriv /bin/setpriv; do
  [ -x "$setpriv" ] && exec "$setpriv" --pdeathsig KILL -- "$BECKET_WORKERD" "$@"
done
exec "$BECKET_WORKERD" "$@"
