
# --- Node.js ---------------------------------------------------------------------------------------------------------

# Sets NODE: a Node.js that is new enough, and that a service may use: nobody's own in a home folder.
install_node() {
  version=${BECKET_NODE_VERSION:-$NODE_VERSION}
  version=${version#v}
  for NODE in /usr/bin/node /usr/local/bin/node "$LIBRARY/node-v$version/bin/node"; do
    if node_is_good "$NODE"; then return 0; fi
  done
  refresh_packages
  if is_at_least "$NODE_AT_LEAST" "$(packaged_node_version)"; then
    install_packages nodejs nodejs
    NODE=/usr/bin/node
    node_is_good $NODE && return 0
    fail "the package nodejs brought no Node.js $NODE_AT_LEAST at $NODE" "install Node.js yourself, then run this again"
  fi
  install_node_build
}

node_is_good() {
  [ -x "$ROOT$1" ] && found=$("$ROOT$1" --version 2>/dev/null) && is_at_least "$NODE_AT_LEAST" "${found#v}"
}

# 0 when there is none.
packaged_node_version() {
  case $PACKAGER in
    apt) apt-cache policy nodejs | sed -n 's/^ *Candidate: //p' ;;
    dnf) dnf -q repoquery --latest-limit=1 --qf '%{version}\n' nodejs 2>/dev/null ;;
    apk) apk policy nodejs | sed -n '2p' ;;
  esac | sed -n '1{s/^ *//;s/^[0-9]*://;s/[^0-9.].*//;s/^$/0/;p;}' | grep . || echo 0
}

# Of nodejs.org, or of a mirror that has the same files: what comes is checked against the SHA-256 in this script.
install_node_build() {
  if [ $PACKAGER = apk ]; then
    fail "this Alpine has no Node.js $NODE_AT_LEAST, and nodejs.org has no build for musl that we know" "upgrade to Alpine 3.21 or newer"
  fi
  case $(uname -m) in
    x86_64 | amd64) architecture=x64 pinned=$NODE_SHA256_X64 ;;
    aarch64 | arm64) architecture=arm64 pinned=$NODE_SHA256_ARM64 ;;
    *) fail "$SYSTEM has no Node.js $NODE_AT_LEAST, and there is no official build for $(uname -m) that we know" "install Node.js as /usr/local/bin/node, then run this again" ;;
  esac
  sum=${BECKET_NODE_SHA256:-$pinned}
  if [ "$version" != "$NODE_VERSION" ] && [ -z "${BECKET_NODE_SHA256-}" ]; then
    fail "the SHA-256 of Node.js $version is not known here" "set BECKET_NODE_SHA256, too"
  fi
  NODE=$LIBRARY/node-v$version/bin/node
  build=node-v$version-linux-$architecture
  say "$SYSTEM has no Node.js $NODE_AT_LEAST: taking the official build $version"
  elsewhere="see that this machine reaches it, or name a mirror by BECKET_NODE_MIRROR"
  fetch "${BECKET_NODE_MIRROR:-https://nodejs.org/dist}/v$version/$build.tar.gz" "$WORK/node.tar.gz" "$elsewhere"
  check_sum "$WORK/node.tar.gz" "$sum" "the Node.js build" "try again; if it stays so, do not trust the mirror"
  folder=$ROOT$LIBRARY/node-v$version
  rm -rf "$folder.new"
  mkdir -p "$folder.new"
  run "see that there is room in $LIBRARY" tar -xzf "$WORK/node.tar.gz" -C "$folder.new" "$build/bin/node" "$build/LICENSE"
  mkdir -p "$ROOT$BEFORE"
  rm -rf "$folder"
  mv "$folder.new/$build" "$folder"
  rmdir "$folder.new"
  rm "$WORK/node.tar.gz"
  chown -R 0:0 "$folder"
  node_is_good "$NODE" || fail "this Node.js build does not run here" "see what $NODE --version says; it needs glibc 2.28 or newer"
}
