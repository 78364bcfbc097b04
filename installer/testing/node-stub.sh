#!/bin/sh
# A Node.js that runs one program: the agent's command line.
. "$STUB_ROOT/stub-machine.sh"
case $1 in
  --version) echo "v$(cat "$0.version" 2>/dev/null || echo 24.21.0)" ;;
  *)
    echo "becket $2${3+ $3}" >>"$STUB_ROOT/calls"
    case $2 in
      status) echo "alice is online" ;;
      down) rm -f "$STUB_ROOT/is-running" "$STUB_ROOT/var/lib/becket/identity.json" ;;
    esac
    ;;
esac
