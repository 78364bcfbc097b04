
# --- Packages --------------------------------------------------------------------------------------------------------

IS_REFRESHED=no

# What a program comes in.
package_of() {
  case $PACKAGER:$1 in
    dnf:ip) echo iproute ;;
    *:ip) echo iproute2 ;;
    *:wg) echo wireguard-tools ;;
    *:nft) echo nftables ;;
    apt:bird) echo bird2 ;;
    apt:sysctl) echo procps ;;
    *:sysctl) echo procps-ng ;;
    *) echo "$1" ;;
  esac
}

has_program() {
  case $1 in
    # busybox has a small one.
    ip) has ip && ip -V 2>/dev/null | grep -q iproute2 ;;
    *) has "$1" ;;
  esac
}

install_programs() {
  missing=
  for program in ip wg nft bird sysctl; do
    has_program "$program" || missing="$missing $(package_of "$program")"
  done
  # shellcheck disable=SC2086 # a list of words
  [ -z "$missing" ] || install_packages base $missing
  kernel_has_wireguard || has wireguard-go || install_packages wireguard-go wireguard-go
}

kernel_has_wireguard() {
  # Loads the module when there is one. No mesh's interface is named so.
  ip link add dev bkt-Probe type wireguard 2>/dev/null || return 1
  ip link delete dev bkt-Probe
}

# install_packages LABEL PACKAGE...
install_packages() {
  label=$1
  shift
  by_hand="install $* yourself, then run this again"
  case $PACKAGER in
    apt)
      refresh_packages
      list_packages >"$WORK/before"
      apt-get -q -s install --no-install-recommends "$@" 2>/dev/null | sed -n 's/^Inst \([^ :]*\).*/\1/p' >"$WORK/planned"
      # SYSTEMD_OFFLINE: no service is started (systemd, ENVIRONMENT.md). Recommended packages: wireguard-go has a kernel.
      run "see what apt says above; if a repository lacks the package, $by_hand" env DEBIAN_FRONTEND=noninteractive SYSTEMD_OFFLINE=1 \
        apt-get -q -y -o DPkg::Lock::Timeout=300 install --no-install-recommends "$@"
      record_packages
      # The agent starts BIRDs of its own. Somebody else's bird.service came before us, and stays.
      if grep -qx bird2 "$WORK/added" && [ $SERVICES = systemd ]; then
        run "try: systemctl disable bird.service" systemctl --quiet disable bird.service
      fi
      ;;
    dnf)
      list_packages >"$WORK/before"
      run "see what dnf says above; if a repository lacks the package, $by_hand" dnf -q -y --setopt=install_weak_deps=False install "$@"
      list_transaction_of "$@" >"$WORK/planned"
      record_packages
      ;;
    apk)
      refresh_packages
      # A name for all of them: deleting it deletes those that nobody else needs.
      run "see what apk says above; the community repository has to be in /etc/apk/repositories" apk add --quiet --virtual ".becket-$label" "$@"
      ;;
    none) fail "$* is missing, and $SYSTEM has none of the package managers that this script knows (apt, dnf, apk)" "$by_hand" ;;
  esac
}

# Lists that are old name packages that are gone.
refresh_packages() {
  [ $IS_REFRESHED = no ] || return 0
  IS_REFRESHED=yes
  case $PACKAGER in
    apt) run "see that this machine reaches its package mirrors" apt-get -q -o DPkg::Lock::Timeout=300 update ;;
    apk) run "see that this machine reaches its package mirrors" apk update --quiet ;;
  esac
}

list_packages() {
  case $PACKAGER in
    apt) dpkg-query -W -f '${Package} ${db:Status-Status}\n' | sed -n 's/ installed$//p' ;;
    dnf) rpm -qa --qf '%{NAME}\n' ;;
  esac | sort -u
}

# What came with these packages: all that one transaction of rpm's installs has its number.
list_transaction_of() {
  transaction=$(rpm -q --whatprovides --qf '%{INSTALLTID}\n' "$@" | grep -x '[0-9]*' | sort -n | tail -n 1)
  rpm -qa --qf '%{INSTALLTID} %{NAME}\n' | sed -n "s/^$transaction //p"
}

# Of what was not there before, that which our transaction planned: while it waited for the lock, others may have installed more.
record_packages() {
  sort -u "$WORK/planned" >"$WORK/ours"
  list_packages | comm -13 "$WORK/before" - | comm -12 - "$WORK/ours" >"$WORK/added"
  mkdir -p "$ROOT$RECORD"
  cat "$WORK/added" >>"$ROOT$RECORD/packages"
}
