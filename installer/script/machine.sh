
# --- This machine ----------------------------------------------------------------------------------------------------

# look_at_machine [unlocked]
look_at_machine() {
  # A person's PATH may lack sbin, where most of these programs live.
  PATH=$PATH:$ROOT/usr/local/sbin:$ROOT/usr/local/bin:$ROOT/usr/sbin:$ROOT/sbin:$ROOT/usr/bin:$ROOT/bin
  export PATH LC_ALL=C
  [ "$(uname -s)" = Linux ] || fail "the agent runs on Linux; this is $(uname -s)" "run this on a Linux machine"
  [ "$(id -u)" = 0 ] || fail "this is not root" "put sudo in front of sh, as in: (echo BECKET_TOKEN=... && curl ...) | sudo sh"
  [ "${1-}" = unlocked ] || take_lock
  WORK=$(mktemp -d) || fail "there is no room for temporary files" "free some space in ${TMPDIR:-/tmp}"
  trap 'end $?' EXIT
  trap 'exit 130' INT
  trap 'tell_ended; exit 143' TERM HUP
  SYSTEM=$(sed -n 's/^PRETTY_NAME="\{0,1\}\([^"]*\)"\{0,1\}$/\1/p' "$ROOT/etc/os-release" 2>/dev/null) || SYSTEM=
  SYSTEM=${SYSTEM:-an unknown distribution}
  if has apt-get; then
    PACKAGER=apt
  elif has dnf; then
    PACKAGER=dnf
  elif has apk; then
    PACKAGER=apk
  else
    PACKAGER=none
  fi
  if [ -d "$ROOT/run/systemd/system" ]; then
    SERVICES=systemd
  elif has rc-service && has rc-update; then
    SERVICES=openrc
  else
    SERVICES=none
  fi
}

# One run at a time: on a folder that is there anyway, so that nothing is left. Descriptor 9; what may go on after us is started without it.
take_lock() {
  mkdir -p "$ROOT${LIBRARY%/*}"
  exec 9<"$ROOT${LIBRARY%/*}"
  if has flock && ! flock -n 9; then
    fail "another run of this script is at work on this machine" "wait until it has ended, then run this again"
  fi
}

# shellcheck disable=SC2317 # by trap
end() {
  rm -rf "$WORK" "$ROOT$STATE/join.env" "$ROOT$STATE/join.token"
  if [ "$1" = 0 ] || [ "$IS_EXPLAINED" = yes ]; then return 0; fi
  printf 'becket: FAILED, for the reason above.\n' >&2
  printf 'becket: What to do: mend that (room on the disk? a read-only file system?), then run this again.\n' >&2
}

# 20.18.1 <= 22.3? Numbers and dots only.
is_at_least() {
  printf '%s\n%s\n' "$1" "$2" | awk -F. '
    NR == 1 { for (i = 1; i <= 3; i++) wanted[i] = $i + 0 }
    NR == 2 { for (i = 1; i <= 3; i++) if ($i + 0 != wanted[i]) exit($i + 0 < wanted[i]) }'
}

# Sets TRUST, a file of all whom downloads may trust; empty for the system's own. Done before anything is changed: it may be refused.
read_authorities() {
  TRUST=
  given=${BECKET_CA_FILE-}
  if [ -z "$given" ] && [ -f "$ROOT$AUTHORITIES" ]; then given=$ROOT$AUTHORITIES; fi
  [ -n "$given" ] || return 0
  cp "$given" "$WORK/authorities" 2>/dev/null || fail "BECKET_CA_FILE can't be read" "see that $given is there"
  grep -q -e '^-----BEGIN CERTIFICATE-----' "$WORK/authorities" ||
    fail "BECKET_CA_FILE is no certificate: $given holds none in PEM" "convert it: openssl x509 -inform der -in FILE -out FILE.pem"
  # Those that are named take the place of the system's, whose Node.js mirror may be the world's.
  TRUST=$WORK/trusted
  for system in /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt /etc/ssl/cert.pem; do
    if [ -f "$ROOT$system" ]; then
      cat "$ROOT$system"
      break
    fi
  done >"$TRUST"
  cat "$WORK/authorities" >>"$TRUST"
}

keep_authorities() {
  if [ -n "$TRUST" ]; then put_file $AUTHORITIES 644 <"$WORK/authorities"; fi
}

# fetch URL FILE WHAT-TO-DO. It takes its time, but not for nothing: this run holds the lock. Without progress, tries and all, that are some two minutes.
fetch() {
  say "+ download $1"
  if has curl; then
    curl -fsSL --retry 3 --retry-max-time 60 --connect-timeout 20 --speed-limit 1000 --speed-time 60 ${TRUST:+--cacert "$TRUST"} -o "$2" "$1" 2>"$WORK/output" && return 0
  elif has wget; then
    if [ -n "$TRUST" ] && ! wget --help 2>&1 | grep -q -e --ca-certificate; then
      fail "this wget takes no BECKET_CA_FILE" "install curl, or GNU's wget; then run this again"
    fi
    wget -q -t 3 -T 20 ${TRUST:+--ca-certificate="$TRUST"} -O "$2" "$1" 2>"$WORK/output" && return 0
  else
    fail "there is neither curl nor wget" "install curl"
  fi
  status=$?
  fail "$1 could not be downloaded ($status: $(tail -n 1 "$WORK/output"))" "$3"
}

# check_sum FILE SHA256 WHAT WHAT-TO-DO
check_sum() {
  found=$(sha256sum "$1" | cut -d ' ' -f 1)
  [ "$found" = "$2" ] || fail "$3 is not what it should be: its SHA-256 is $found, not $2" "$4"
}

# Puts standard input in the place of a file, at once. Nothing, when the file has that text already.
put_file() {
  cat >"$WORK/new"
  if [ -f "$ROOT$1" ] && [ "$(cat "$WORK/new")" = "$(cat "$ROOT$1")" ]; then return 0; fi
  say "+ write $1"
  mkdir -p "$ROOT${1%/*}"
  # Copied beside it first: a rename is atomic, and the file gets the label (SELinux) of its folder.
  (umask 077 && cp "$WORK/new" "$ROOT$1.new")
  chmod "$2" "$ROOT$1.new"
  keep_before "$1"
  mv -f "$ROOT$1.new" "$ROOT$1"
}
