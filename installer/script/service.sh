
# --- The service -----------------------------------------------------------------------------------------------------

install_service() {
  case $SERVICES in
    systemd)
      put_file $UNIT 644 <<'SYSTEMD_UNIT'
@SYSTEMD_UNIT@
SYSTEMD_UNIT
      put_file $UPGRADE_UNIT 644 <<'SYSTEMD_UPGRADE_UNIT'
@SYSTEMD_UPGRADE_UNIT@
SYSTEMD_UPGRADE_UNIT
      put_file $UPGRADE_PATH 644 <<'SYSTEMD_UPGRADE_PATH'
@SYSTEMD_UPGRADE_PATH@
SYSTEMD_UPGRADE_PATH
      ;;
    openrc)
      put_file $SUPERVISED 755 <<'OPENRC_SUPERVISED'
@OPENRC_SUPERVISED@
OPENRC_SUPERVISED
      put_file $OPENRC_SCRIPT 755 <<'OPENRC_SERVICE'
@OPENRC_SERVICE@
OPENRC_SERVICE
      ;;
  esac
}

require_services() {
  [ $SERVICES != none ] ||
    fail "this machine is run by neither systemd nor OpenRC" "install by hand: put the agent under your own supervisor, see A machine in docs/operations.md"
}

# Starts the agent, or has the new one take over: interfaces, WireGuard and BIRD go on meanwhile.
start_service() {
  case $SERVICES in
    systemd)
      run "see what systemctl says above" systemctl daemon-reload
      run "see what systemctl says above" systemctl --quiet enable becket.service
      run "see what systemctl says above" systemctl --quiet enable --now becket-upgrade.path
      ;;
    openrc) run "see what rc-update says above" rc-update --quiet add becket default ;;
  esac
  if ! is_restart_due && is_running; then
    say "The agent runs, and nothing changed."
    return 0
  fi
  say "+ restart the service becket"
  if restart && wait_until_joined; then return 0; fi
  print_log >&2
  if restore_agent; then
    [ $SERVICES != systemd ] || systemctl daemon-reload || true
    if restart && wait_until_joined; then
      fail "the new agent did not start, for the reason above; the one before it is back, and runs" "mend that, then run this again"
    fi
    print_log >&2
    fail "the new agent did not start, and the one before it, which was put back, does not start either" "mend what is said above, then run this again; $(log_command) has all of it"
  fi
  fail "the agent did not start, for the reason above" "mend that, then run this again; $(log_command) has all of it"
}

restart() {
  case $SERVICES in
    # It is up when it has joined and its meshes are on the wire: the unit is Type=notify.
    systemd) systemctl restart becket.service 2>"$WORK/output" 9<&- ;;
    # A session of its own: what ends this run, after nine minutes say, neither halves the restart nor reaches the supervisor that it leaves. Nor does it
    # wait for it: traps do, of a command in the foreground.
    openrc)
      session=$(command -v setsid) || session=
      $session rc-service --quiet becket restart >"$WORK/output" 2>&1 9<&- &
      wait $!
      ;;
  esac
}

is_running() {
  case $SERVICES in
    systemd) systemctl --quiet is-active becket.service ;;
    openrc) rc-service --quiet becket status >/dev/null 2>&1 ;;
  esac
}

# What it joined is on the disk a moment after it joined.
wait_until_joined() {
  tries=0
  until [ -n "$(enrolled_at)" ] && "$ROOT$PROGRAM" status >/dev/null 2>&1; do
    tries=$((tries + 1))
    if [ $tries -gt 60 ] || ! is_running; then return 1; fi
    sleep 0.5
  done
}

log_command() {
  case $SERVICES in
    systemd) echo "journalctl -u becket" ;;
    openrc) echo "tail $LOG" ;;
  esac
}

restart_command() {
  case $SERVICES in
    systemd) echo "systemctl restart becket" ;;
    openrc) echo "rc-service becket restart" ;;
  esac
}

print_log() {
  case $SERVICES in
    systemd) journalctl -u becket.service -n 10 --no-pager -o cat 2>/dev/null ;;
    openrc) tail -n 10 "$ROOT$LOG" 2>/dev/null ;;
  esac | sed 's/^/  | /'
}

remove_service() {
  case $SERVICES in
    systemd)
      if [ -f "$ROOT$UPGRADE_PATH" ]; then
        run "see what systemctl says above" systemctl --quiet disable --now becket-upgrade.path
        rm -f "$ROOT$UPGRADE_PATH" "$ROOT$UPGRADE_UNIT"
        systemctl --quiet reset-failed becket-upgrade.path becket-upgrade.service 2>/dev/null || true
      fi
      if [ -f "$ROOT$UNIT" ]; then
        run "see what systemctl says above" systemctl --quiet disable --now becket.service
        rm -f "$ROOT$UNIT"
        run "see what systemctl says above" systemctl daemon-reload
        systemctl --quiet reset-failed becket.service 2>/dev/null || true
      fi
      ;;
    openrc)
      if [ -f "$ROOT$OPENRC_SCRIPT" ]; then
        rc-update --quiet delete becket default >/dev/null 2>&1 || true
        rm -f "$ROOT$OPENRC_SCRIPT" "$ROOT$LOG" "$ROOT$LOG.1" "$ROOT$UPGRADE_LOG" "$ROOT$UPGRADE_LOG.1"
      fi
      ;;
  esac
}
