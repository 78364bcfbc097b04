# What the stubs share: STUB_ROOT is the machine, and below it are `calls`, which they write, and `answers`, which the test gives.
# shellcheck shell=sh

note() { printf '%s\n' "${0##*/} $*" >>"$STUB_ROOT/calls"; }

answer() { cat "$STUB_ROOT/answers/$1" 2>/dev/null; }

# put PROGRAM [BODY]: a program of a package.
put() {
  mkdir -p "$STUB_ROOT/usr/sbin"
  printf '#!/bin/sh\n%s\n' "${2-}" >"$STUB_ROOT/usr/sbin/$1"
  chmod 755 "$STUB_ROOT/usr/sbin/$1"
}

install_package() {
  echo "$1" >>"$STUB_ROOT/packages"
  case $1 in
    iproute | iproute2) put ip "if [ \"\$1\" = -V ]; then echo ip utility, iproute2-6.1.0; else [ \"\$2\" != add ] || [ -e $STUB_ROOT/answers/kernel-wireguard ]; fi" ;;
    wireguard-tools) put wg ;;
    nftables) put nft ;;
    bird | bird2) put bird ;;
    procps | procps-ng) put sysctl ;;
    wireguard-go) put wireguard-go ;;
    nodejs)
      mkdir -p "$STUB_ROOT/usr/bin"
      cp "$STUB_ROOT/node-stub.sh" "$STUB_ROOT/usr/bin/node"
      answer node-version >"$STUB_ROOT/usr/bin/node.version"
      ;;
  esac
}

# The names of packages in an argument list: what is left of options and their values.
list_named() {
  for word in "$@"; do
    case $word in
      -* | *=* | .* | install | add | purge | remove) ;;
      *) echo "$word" ;;
    esac
  done
}

install_named() {
  for named in $(list_named "$@"); do install_package "$named"; done
}

remove_named() {
  list_named "$@" >"$STUB_ROOT/removed"
  grep -vxF -f "$STUB_ROOT/removed" "$STUB_ROOT/packages" >"$STUB_ROOT/left"
  mv "$STUB_ROOT/left" "$STUB_ROOT/packages"
}

# The service: up with a token or an identity, as the agent is.
start_agent() {
  mkdir -p "$STUB_ROOT/var/lib/becket"
  if grep -q broken "$STUB_ROOT/usr/local/lib/becket/becket.mjs"; then
    echo "the agent is broken" >"$STUB_ROOT/journal"
    return 1
  fi
  token=$(sed -n 's/^BECKET_TOKEN_FILE=//p' "$STUB_ROOT/var/lib/becket/join.env" 2>/dev/null)
  if [ -n "$token" ] && grep -q '^bkj_' "$token"; then
    echo "{\"controlPlaneUrl\":\"$(sed -n 's/^BECKET_URL=//p' "$STUB_ROOT/var/lib/becket/join.env")\"}" >"$STUB_ROOT/var/lib/becket/identity.json"
  fi
  [ -f "$STUB_ROOT/var/lib/becket/identity.json" ] && : >"$STUB_ROOT/is-running"
}
