
# --- Packages that go again ------------------------------------------------------------------------------------------

# Those that this script installed, with what they brought along, as far as nobody else uses them by now.
remove_packages() {
  if [ "${BECKET_KEEP_PACKAGES-}" = 1 ]; then
    say "Packages stay, as asked for."
    return 0
  fi
  case $PACKAGER in
    apk) remove_virtual_packages ;;
    apt | dnf)
      [ -f "$ROOT$RECORD/packages" ] || return 0
      list_packages >"$WORK/now"
      sort -u "$ROOT$RECORD/packages" | comm -12 - "$WORK/now" >"$WORK/ours"
      keep_packages_in_use
      [ -s "$WORK/ours" ] || return 0
      case $PACKAGER in
        apt) remove_by_apt ;;
        dnf) remove_by_dnf ;;
      esac
      ;;
  esac
}

remove_virtual_packages() {
  ours=$(sed -n 's/^\(\.becket-[a-z-]*\).*/\1/p' "$ROOT/etc/apk/world" | tr '\n' ' ')
  [ -n "$ours" ] || return 0
  for service in nftables bird; do
    for enabled in "$ROOT"/etc/runlevels/*/"$service"; do
      if [ -e "$enabled" ] || [ -L "$enabled" ]; then
        say "The package $service stays: its service is in a runlevel."
        run "see what apk says above" apk add --quiet $service
        break
      fi
    done
  done
  # shellcheck disable=SC2086 # a list of words
  run "remove them yourself: apk del $ours" apk del --quiet $ours
}

# Takes those out of `ours` that bring a unit which somebody enabled or started: to remove nftables empties a firewall.
keep_packages_in_use() {
  [ $SERVICES = systemd ] || return 0
  : >"$WORK/unused"
  while read -r package; do
    unit=$(find_unit_in_use "$package")
    if [ -n "$unit" ]; then
      say "The package $package stays: its $unit is enabled, or runs."
    else
      echo "$package" >>"$WORK/unused"
    fi
  done <"$WORK/ours"
  mv "$WORK/unused" "$WORK/ours"
}

find_unit_in_use() {
  case $PACKAGER in
    apt) dpkg-query -L "$1" ;;
    dnf) rpm -ql "$1" ;;
  esac | grep '/systemd/system/[^/]*\.\(service\|socket\|timer\|path\|target\)$' | while read -r file; do
    # Another name for a unit of somebody else's.
    [ ! -L "$ROOT$file" ] || continue
    unit=${file##*/}
    # Of a template: all that are made of it.
    case $unit in *@.*) unit="${unit%@*}@*.${unit##*.}" ;; esac
    if is_wanted "$unit" || systemctl --quiet is-active "$unit"; then
      echo "${file##*/}"
      break
    fi
  done
}

is_wanted() {
  # shellcheck disable=SC2231 # a pattern
  for link in "$ROOT"/etc/systemd/system/*.wants/$1 "$ROOT"/etc/systemd/system/*.requires/$1; do
    [ ! -L "$link" ] || return 0
  done
  return 1
}

remove_by_apt() {
  others=$(list_removed_with "$WORK/ours" | comm -13 "$WORK/ours" - | tr '\n' ' ')
  if [ -n "$others" ]; then
    : >"$WORK/free"
    cp "$WORK/ours" "$WORK/each"
    while read -r package; do
      echo "$package" >"$WORK/one"
      list_removed_with "$WORK/one" | comm -13 "$WORK/ours" - | grep -q . || echo "$package" >>"$WORK/free"
    done <"$WORK/each"
    say "These packages stay, because ${others}need them: $(comm -23 "$WORK/ours" "$WORK/free" | tr '\n' ' ')"
    mv "$WORK/free" "$WORK/ours"
  fi
  removed=
  purged=
  while read -r package; do
    files=$(list_changed_settings "$package")
    if [ -n "$files" ]; then
      say "What was changed by hand stays: $files"
      removed="$removed $package"
    else
      purged="$purged $package"
    fi
  done <"$WORK/ours"
  # Those first: of one that has gone along, what is left is purged then.
  end_packages remove "$removed"
  end_packages purge "$purged"
}

# end_packages remove|purge PACKAGES
end_packages() {
  [ -n "$2" ] || return 0
  # shellcheck disable=SC2086 # a list of words
  run "do it yourself: apt-get $1$2" env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=300 "$1" $2
}

# What goes when the packages in this file go: they, and all that needs one of them.
list_removed_with() {
  # shellcheck disable=SC2046 # a list of words
  apt-get -s purge $(cat "$1") </dev/null | sed -n 's/^\(Purg\|Remv\) \([^ :]*\).*/\2/p' | sort -u
}

# The conffiles of a package that are not what it brought.
list_changed_settings() {
  # shellcheck disable=SC2016 # dpkg's own
  dpkg-query -W -f '${Conffiles}\n' "$1" | while read -r file sum _; do
    [ -f "$ROOT$file" ] || continue
    [ "$(md5sum "$ROOT$file" | cut -d ' ' -f 1)" = "$sum" ] || printf '%s ' "$file"
  done
}

# rpm itself keeps what was changed by hand, as FILE.rpmsave.
remove_by_dnf() {
  ours=$(tr '\n' ' ' <"$WORK/ours")
  # shellcheck disable=SC2086 # a list of words
  if rpm -e --test $ours >"$WORK/output" 2>&1; then
    run "remove them yourself: rpm -e $ours" rpm -e $ours
  else
    say "These packages stay, because others need some of them: $ours"
  fi
}
