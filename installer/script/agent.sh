
# --- The agent -------------------------------------------------------------------------------------------------------

IS_CHANGED=no

install_agent() {
  bundle=$ROOT$LIBRARY/becket.mjs
  if [ -f "$bundle" ] && [ "$(sha256sum "$bundle" | cut -d ' ' -f 1)" = "$AGENT_SHA256" ]; then
    say "The agent is $VERSION already."
  else
    mkdir -p "$ROOT$LIBRARY"
    again="download this script again: the control plane may have been upgraded meanwhile"
    fetch "$ORIGIN/install/$AGENT_FILE" "$bundle.new" "$again"
    check_sum "$bundle.new" "$AGENT_SHA256" "the agent" "$again; if it stays so, do not trust the network in between"
    chmod 755 "$bundle.new"
    if [ -f "$bundle" ]; then cp -p "$bundle" "$bundle.old"; fi
    say "+ write $LIBRARY/becket.mjs"
    mv -f "$bundle.new" "$bundle"
    IS_CHANGED=yes
  fi
  put_file $PROGRAM 755 <<WRAPPER
#!/bin/sh
exec $ROOT$NODE $ROOT$LIBRARY/becket.mjs "\$@"
WRAPPER
  # For the day on which the control plane is gone.
  fetch "$ORIGIN/install.sh" "$WORK/install.sh" "try again"
  put_file $LIBRARY/install.sh 755 <"$WORK/install.sh"
}

# The one that ran before, when the new one does not start.
restore_agent() {
  [ -f "$ROOT$LIBRARY/becket.mjs.old" ] || return 1
  mv -f "$ROOT$LIBRARY/becket.mjs.old" "$ROOT$LIBRARY/becket.mjs"
}

forget_old_agents() {
  rm -f "$ROOT$LIBRARY/becket.mjs.old"
  for folder in "$ROOT$LIBRARY"/node-v*; do
    case $ROOT$NODE in
      "$folder"/*) ;;
      *) rm -rf "$folder" ;;
    esac
  done
}

# Where the machine is enrolled; empty when it is not.
enrolled_at() {
  sed -n 's/.*"controlPlaneUrl" *: *"\([^"]*\)".*/\1/p' "$ROOT$STATE/identity.json" 2>/dev/null || true
}

# Sets TOKEN, empty when the machine has joined before. Done first: without it nothing is begun.
read_token() {
  at=$(enrolled_at)
  if [ -z "$TOKEN" ] && [ -n "${BECKET_TOKEN_FILE-}" ]; then
    TOKEN=$(cat "$BECKET_TOKEN_FILE") || fail "BECKET_TOKEN_FILE can't be read" "see that $BECKET_TOKEN_FILE is there"
  fi
  if [ -n "$at" ] && [ "$at" != "$ORIGIN" ]; then
    fail "this machine is in the meshes of $at, not of $ORIGIN" "take the script of $at to upgrade it; to move it, run: sh $LIBRARY/install.sh --uninstall"
  elif [ -n "$at" ]; then
    TOKEN=
    say "This machine has joined $ORIGIN before: it needs no token."
  elif [ -z "$TOKEN" ]; then
    fail "there is no join token, and this machine has not joined before" "make a token in the dashboard (Add machine), and give it: curl -fsSL $ORIGIN/install.sh | sudo BECKET_TOKEN=bkj_... sh"
  fi
  case $TOKEN in
    '' | bkj_*) ;;
    *) fail "BECKET_TOKEN is no join token" "copy it whole: it begins with bkj_" ;;
  esac
  case $TOKEN in
    *[!A-Za-z0-9_-]*) fail "BECKET_TOKEN is no join token" "copy it alone: it is letters, digits, - and _" ;;
  esac
}

# For the first start alone; gone when this script ends.
write_token() {
  [ -n "$TOKEN" ] || return 0
  mkdir -p "$ROOT$STATE"
  chmod 700 "$ROOT$STATE"
  (umask 077 && printf 'BECKET_URL=%s\nBECKET_TOKEN=%s\n' "$ORIGIN" "$TOKEN" >"$ROOT$STATE/join.env")
}

# What was given for the agent stays its own. A file that is there is somebody's, and is left alone.
write_settings() {
  [ ! -e "$ROOT$SETTINGS" ] || return 0
  settings=
  for name in BECKET_ENDPOINTS BECKET_STUN_SERVERS BECKET_LOG_LEVEL BECKET_METRICS BECKET_ALLOW_EXEC_CHECKS HTTPS_PROXY HTTP_PROXY NO_PROXY; do
    value=$(printenv "$name") || continue
    case $value in
      *[!]A-Za-z0-9:/.,_@%*[-]*) fail "$name has a character that can't be kept" "write it into $SETTINGS yourself, then run this without it" ;;
    esac
    settings="$settings$name=$value
"
  done
  if [ -n "$settings" ]; then printf %s "$settings" | put_file $SETTINGS 600; fi
}
