#!/bin/sh
# Written by Becket's install.sh, which replaces it when it upgrades. OpenRC's supervise-daemon starts again whatever ends, whatever its exit code, and
# hands down its own environment each time. So it runs this: the agent, with its settings read anew, and the end of the service when a person is wanted.
set -u

# For tests: a folder in the place of /.
ROOT=${BECKET_ROOT-}
LOG=$ROOT/var/log/becket.log
LOG_BYTES=1048576

# Who writes it appends: what is emptied is written from its beginning.
bound_log() {
  if [ -f "$LOG" ] && [ "$(wc -c <"$LOG")" -gt $LOG_BYTES ]; then
    (umask 077 && tail -c $LOG_BYTES "$LOG" >"$LOG.1")
    : >"$LOG"
  fi
}

# For as long as this runs, a minute at a time: it is ended by KILL, which leaves its sleep. A shell that was only just forked may lose other signals.
bound_log_hourly() {
  exec 2>/dev/null
  minutes=0
  while sleep 60 && kill -0 $$; do
    minutes=$((minutes + 1))
    [ $((minutes % 60)) != 0 ] || bound_log
  done
}

# stop_service EXIT-CODE. The supervisor is told to end, and ends this then: a child that has gone before, it would wait for.
stop_service() {
  code=$1
  trap 'exit "$code"' TERM
  # It may be at that already.
  [ $is_ended = no ] || exit "$code"
  echo "becket: the service stops, for the reason above. docs/operations.md has the exit codes; to start it again: rc-service becket start" >&2
  RC_SVCNAME=becket supervise-daemon becket --stop &
  wait $!
  exit "$code"
}

is_ended=no
bound_log
# Nobody but the agent sees an order to upgrade: becket-upgrade.path is systemd's.
export BECKET_STARTS_UPGRADES=yes
for file in "$ROOT/etc/default/becket" "$ROOT/var/lib/becket/join.env"; do
  [ -r "$file" ] || continue
  # Once: install.sh removes one of them when it ends.
  settings=$(cat "$file") || {
    [ -e "$file" ] || continue
    stop_service 2
  }
  # What is wrong with them ends the shell that takes them.
  if [ "$(eval "$settings" >/dev/null; echo taken)" != taken ]; then
    echo "becket: $file can't be read as shell: put a value with a \$ or a quote into '...'." >&2
    stop_service 2
  fi
  set -a
  eval "$settings"
  set +a
done

agent=
trap 'is_ended=yes; [ -z "$agent" ] || kill -TERM "$agent"' TERM
"$ROOT/usr/local/bin/becket" up &
agent=$!
[ $is_ended = no ] || kill -TERM $agent
bound_log_hourly &
keeper=$!
# A signal ends the waiting, not the agent.
while :; do
  wait $agent
  code=$?
  kill -0 $agent 2>/dev/null || break
done
kill -KILL $keeper
case $code in
  0 | 2 | 4 | 5 | 6 | 7) stop_service "$code" ;;
esac
exit "$code"
