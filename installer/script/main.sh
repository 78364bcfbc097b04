
# --- What to do ------------------------------------------------------------------------------------------------------

install() {
  require_services
  read_token
  read_settings
  read_authorities
  say "Becket agent $VERSION of $ORIGIN, on $SYSTEM ($PACKAGER, $SERVICES)."
  case $ORIGIN in
    http:*) say "There is no TLS between this machine and the control plane: right for tests only." ;;
  esac
  install_programs
  install_node
  install_agent
  install_service
  write_settings
  write_token
  start_service
  forget_old_agents
  say "Done. The agent is a service ($(log_command)), and this is its state:"
  "$ROOT$PROGRAM" status | sed 's/^/  /'
  say "To remove it all: sh $LIBRARY/install.sh --uninstall"
  tell_unkept
}

uninstall() {
  say "Removing Becket from $SYSTEM."
  # It starts again what crashes.
  [ $SERVICES != openrc ] || rc-service --quiet becket stop >/dev/null 2>&1 || true
  if [ -x "$ROOT$PROGRAM" ]; then
    # The agent itself takes down what it made: interfaces, routes, packet rules, BIRDs; then its identity and keys.
    run "if Node.js is gone, install it again; then run this again" "$ROOT$PROGRAM" down --forget
  fi
  remove_service
  remove_packages
  for path in $PROGRAM $LIBRARY $STATE $SETTINGS /run/becket; do
    if [ -e "$ROOT$path" ]; then
      say "+ remove $path"
      rm -rf "$ROOT$path"
    fi
  done
  # Other programs' sockets may be there.
  rmdir "$ROOT/run/wireguard" 2>/dev/null || true
  say "Done. The control plane still lists this machine, as offline: remove it there, in the dashboard."
}

main() {
  set -eu
  TOKEN=${BECKET_TOKEN-}
  ORDER=
  IN_SESSION=${2-}
  # No program that is started from here on is told.
  unset BECKET_TOKEN
  case ${1-} in
    --help | -h) print_help ;;
    --uninstall)
      look_at_machine
      uninstall
      ;;
    # The lock is for the script that this one fetches and runs.
    --upgrade)
      take_order
      look_at_machine unlocked
      upgrade
      ;;
    --begin-upgrade) begin_upgrade ;;
    '')
      look_at_machine
      install
      ;;
    *) fail "there is no option $1" "see --help" ;;
  esac
}

# Standard input is this script: nobody else may read it. The brace after it: no part of this line runs anything.
{ main "$@" </dev/null; exit; }
