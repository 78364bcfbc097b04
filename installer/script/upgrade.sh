
# --- Upgrades that the control plane orders --------------------------------------------------------------------------

# Run by becket-upgrade.service, or by an agent that is root with all its power (OpenRC). The agent wrote which build is ordered and nothing else is
# taken from it: whether it may be, by the machine's own settings; where from, as it is written into this script.

WANTED=$STATE/upgrade.wanted
# Where the agent can't change any more what kind of file it is. Beside its folder: a rename is atomic within a file system.
TAKEN=$STATE.order
# Where the agent reads what became of it. Under systemd it can't write there.
RESULT=$LIBRARY/upgrade.result

# OpenRC: the agent that is to be replaced called, so its end must not be ours. It gets the time that systemd would give it, and a session of its own, all
# of which ends then: GNU's timeout tells its process group, busybox's the one process that it started. The log is of this run and of the one before.
begin_upgrade() {
  [ ! -f "$ROOT$UPGRADE_LOG" ] || mv -f "$ROOT$UPGRADE_LOG" "$ROOT$UPGRADE_LOG.1"
  (umask 077 && : >"$ROOT$UPGRADE_LOG")
  session=$(command -v setsid) || session=
  limit=
  ! has timeout || limit="timeout 540"
  # shellcheck disable=SC2086 # words, or none
  $session $limit sh "$ROOT$LIBRARY/install.sh" --upgrade ${session:+in-session} </dev/null >>"$ROOT$UPGRADE_LOG" 2>&1 &
}

# Sets ORDER and SHA256.
take_order() {
  ORDER=
  SHA256=
  # Whatever it is, it goes: systemd starts this again for as long as it is there.
  rm -rf "$ROOT${TAKEN:?}"
  mv -f "$ROOT$WANTED" "$ROOT$TAKEN" 2>/dev/null || rm -rf "$ROOT${WANTED:?}"
  # Nobody's link: what it leads to may be for root alone. Nor a pipe, which nobody may write to.
  if [ -f "$ROOT$TAKEN" ] && [ ! -L "$ROOT$TAKEN" ]; then read -r ORDER SHA256 <"$ROOT$TAKEN" || true; fi
  rm -rf "$ROOT${TAKEN:?}"
  case $ORDER in *[!a-z0-9_]* | '') ORDER= ;; esac
  case $SHA256 in *[!0-9a-f]* | '') ORDER= ;; esac
  if [ ${#ORDER} -gt 64 ] || [ ${#SHA256} != 64 ]; then ORDER=; fi
  if [ -n "$ORDER" ]; then tell_result running </dev/null || true; fi
  [ -n "$ORDER" ] || fail "there is no order, or it is none" "nothing: the agent orders upgrades by itself"
}

# tell_result STATE, with why on standard input.
tell_result() {
  { printf '%s %s\n' "$ORDER" "$1" && cat; } >"$ROOT$RESULT.new" && mv -f "$ROOT$RESULT.new" "$ROOT$RESULT"
}

upgrade() {
  : >"$WORK/errors"
  if await_upgrade; then
    tell_result ok </dev/null
    ORDER=
    return 0
  fi
  cat "$WORK/errors" >&2
  grep -E '^becket: (FAILED|What to do)' "$WORK/errors" | tail -n 2 | sed 's/^becket: //' >"$WORK/why" || true
  [ -s "$WORK/why" ] || tail -n 5 "$WORK/errors" >"$WORK/why"
  tell_result failed <"$WORK/why"
  ORDER=
  IS_EXPLAINED=yes
  exit 1
}

# What traps wait for is a command in the foreground: under systemd that is told to end with us.
await_upgrade() {
  if [ -z "$IN_SESSION" ]; then
    carry_out
  else
    carry_out &
    wait $!
  fi
}

carry_out() {
  (perform_upgrade && : >"$WORK/succeeded") 2>"$WORK/errors"
}

# By trap: systemd's patience is at its end, or the machine goes down. Nothing, when no order is being carried out, or its end was told.
# shellcheck disable=SC2317
tell_ended() {
  [ -n "$ORDER" ] || return 0
  trap '' TERM HUP
  [ -z "$IN_SESSION" ] || kill -TERM 0
  if [ -e "$WORK/succeeded" ]; then
    tell_result ok </dev/null
  else
    tell_result failed <<WHY
FAILED: the upgrade was ended from outside: it took longer than 9 minutes, or the machine was shut down.
What to do: see what it waited for ($(upgrade_log_command)), then start another roll-out.
WHY
  fi
  ORDER=
  IS_EXPLAINED=yes
}

# shellcheck disable=SC2317
upgrade_log_command() {
  case ${SERVICES-} in
    openrc) echo "$UPGRADE_LOG" ;;
    *) echo "journalctl -u becket-upgrade" ;;
  esac
}

# In a condition: `set -e` does nothing here.
perform_upgrade() {
  if [ $SERVICES = openrc ] && [ -r "$ROOT$SETTINGS" ]; then
    set -a
    # shellcheck disable=SC1090 # a file of settings
    . "$ROOT$SETTINGS"
    set +a
  fi
  case ${BECKET_ALLOW_UPGRADES-} in
    yes | 1) ;;
    *) fail "this machine does not allow upgrades from the control plane" "put BECKET_ALLOW_UPGRADES=yes into $SETTINGS and restart the agent" ;;
  esac
  read_authorities
  fetch "$ORIGIN/install.sh" "$WORK/upgrade.sh" "see that this machine reaches $ORIGIN"
  grep -qx "AGENT_SHA256='$SHA256'" "$WORK/upgrade.sh" ||
    fail "$ORIGIN does not hand out the agent that was ordered, $SHA256" "the control plane was upgraded meanwhile: start another roll-out"
  sh "$WORK/upgrade.sh" </dev/null || exit 1
}
