
# --- The agent -------------------------------------------------------------------------------------------------------

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
    keep_before $LIBRARY/becket.mjs
    say "+ write $LIBRARY/becket.mjs"
    mv -f "$bundle.new" "$bundle"
  fi
  keep_authorities
  trusting=
  [ -z "$TRUST" ] || trusting="export BECKET_CA_FILE=\"\${BECKET_CA_FILE:-$ROOT$AUTHORITIES}\"
"
  put_file $PROGRAM 755 <<WRAPPER
#!/bin/sh
${trusting}exec $ROOT$NODE $ROOT$LIBRARY/becket.mjs "\$@"
WRAPPER
  # For the day on which the control plane is gone.
  fetch "$ORIGIN/install.sh" "$WORK/install.sh" "try again"
  put_file $LIBRARY/install.sh 755 <"$WORK/install.sh"
}

# keep_before FILE: called before a file is replaced. The folder BEFORE says that a restart is due until one was seen to work, also when this
# script is ended in between. In it are the files as they were when the agent last ran.
keep_before() {
  mkdir -p "$ROOT$BEFORE${1%/*}"
  if [ ! -f "$ROOT$1" ] || [ -f "$ROOT$BEFORE$1" ]; then return 0; fi
  cp -p "$ROOT$1" "$ROOT$BEFORE$1.new"
  mv -f "$ROOT$BEFORE$1.new" "$ROOT$BEFORE$1"
}

is_restart_due() { [ -d "$ROOT$BEFORE" ]; }

# Puts back what the agent ran with before, when the new one does not start. False when there is nothing.
restore_agent() {
  restored=no
  for path in $LIBRARY/becket.mjs $AUTHORITIES $PROGRAM $UNIT $SUPERVISED $OPENRC_SCRIPT; do
    [ -f "$ROOT$BEFORE$path" ] || continue
    say "+ put back $path" >&2
    mv -f "$ROOT$BEFORE$path" "$ROOT$path"
    restored=yes
  done
  [ $restored = yes ]
}

forget_old_agents() {
  rm -rf "$ROOT${BEFORE:?}"
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
  # One that has joined needs none, and its settings may go on naming a file that was removed.
  if [ -z "$at" ] && [ -z "$TOKEN" ] && [ -n "${BECKET_TOKEN_FILE-}" ]; then
    TOKEN=$(cat "$BECKET_TOKEN_FILE") || fail "BECKET_TOKEN_FILE can't be read" "see that $BECKET_TOKEN_FILE is there"
  fi
  if [ -n "$at" ] && [ "$at" != "$ORIGIN" ]; then
    fail "this machine is in the meshes of $at, not of $ORIGIN" "take the script of $at to upgrade it; to move it, run: sh $LIBRARY/install.sh --uninstall"
  elif [ -n "$at" ]; then
    TOKEN=
    say "This machine has joined $ORIGIN before: it needs no token."
  elif [ -z "$TOKEN" ]; then
    fail "there is no join token, and this machine has not joined before" "make a token in the dashboard (Add machine), and give it: (echo BECKET_TOKEN=bkj_... && curl -fsSL $ORIGIN/install.sh) | sudo sh"
  fi
  case $TOKEN in
    '' | bkj_*) ;;
    *) fail "BECKET_TOKEN is no join token" "copy it whole: it begins with bkj_" ;;
  esac
  case $TOKEN in
    *[!A-Za-z0-9_-]*) fail "BECKET_TOKEN is no join token" "copy it alone: it is letters, digits, - and _" ;;
  esac
}

# For the first start alone; gone when this script ends. The environment, which lasts as long as the process, has the file's name.
write_token() {
  [ -n "$TOKEN" ] || return 0
  mkdir -p "$ROOT$STATE"
  chmod 700 "$ROOT$STATE"
  (umask 077 && printf '%s\n' "$TOKEN" >"$ROOT$STATE/join.token")
  printf 'BECKET_URL=%s\nBECKET_TOKEN_FILE=%s\n' "$ORIGIN" "$ROOT$STATE/join.token" >"$ROOT$STATE/join.env"
}

# Sets GIVEN, what was given for the agent, and UNKEPT, the names of what the file that is there says otherwise. Done before anything is changed: it
# may be refused.
read_settings() {
  GIVEN=
  UNKEPT=
  for name in BECKET_ENDPOINTS BECKET_STUN_SERVERS BECKET_LOG_LEVEL BECKET_METRICS BECKET_ALLOW_EXEC_CHECKS BECKET_ALLOW_UPGRADES HTTPS_PROXY HTTP_PROXY NO_PROXY; do
    value=$(printenv "$name") || continue
    # A file that is there is somebody's, and is left alone.
    if [ -e "$ROOT$SETTINGS" ]; then
      # Not by argument: a proxy's value may hold a password.
      grep -qxF -f - "$ROOT$SETTINGS" <<PATTERNS || UNKEPT="$UNKEPT $name"
$name=$value
$name="$value"
PATTERNS
      continue
    fi
    case $value in
      *[!]A-Za-z0-9:/.,_@%*[-]*) fail "$name has a character that can't be kept" "write it into $SETTINGS yourself, then run this without it" ;;
    esac
    GIVEN="$GIVEN$name=$value
"
  done
}

write_settings() {
  if [ -n "$GIVEN" ]; then printf %s "$GIVEN" | put_file $SETTINGS 600; fi
}

# The last words, so that they are seen. No values: a proxy's may be secret.
tell_unkept() {
  [ -n "$UNKEPT" ] || return 0
  say "NOT KEPT, because $SETTINGS is there already and is left as it is:$UNKEPT."
  say "What to do: write them into $SETTINGS, as lines NAME=value, and run: $(restart_command)"
}
