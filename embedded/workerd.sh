#!/bin/sh
# Starts workerd for Miniflare, with what Miniflare has no option for:
# - BECKET_LISTEN_HOST, where it is set, is where the Worker listens. Miniflare takes one host for that and for its own server, which
#   has no business outside of loopback; so it is told 127.0.0.1, and only the Worker's socket moves.
# - The kernel ends it when its parent ends, however that ends (prctl(2), PR_SET_PDEATHSIG; Linux): an orphan would hold the port and
#   write to the state of the next start.
for argument do
  shift
  case $argument in
    --socket-addr=entry=*) argument=--socket-addr=entry=${BECKET_LISTEN_HOST:-127.0.0.1}:${argument##*:} ;;
  esac
  set -- "$@" "$argument"
done
for setpriv in /usr/bin/setpriv /bin/setpriv; do
  [ -x "$setpriv" ] && exec "$setpriv" --pdeathsig KILL -- "$BECKET_WORKERD" "$@"
done
exec "$BECKET_WORKERD" "$@"
