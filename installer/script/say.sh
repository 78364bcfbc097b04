
# --- Words -----------------------------------------------------------------------------------------------------------

say() { printf 'becket: %s\n' "$*"; }

IS_EXPLAINED=no

# The cause, then the remedy.
fail() {
  IS_EXPLAINED=yes
  printf 'becket: FAILED: %s.\n' "$1" >&2
  printf 'becket: What to do: %s.\n' "$2" >&2
  exit 1
}

# Shows a command that changes the machine and runs it. Its output matters when it fails only; the remedy then is the first argument.
run() {
  remedy=$1
  shift
  say "+ $*"
  "$@" >"$WORK/output" 2>&1 9<&- && return 0
  status=$?
  tail -n 20 "$WORK/output" | sed 's/^/  | /' >&2
  fail "\`$*\` ended with $status" "$remedy"
}

has() { command -v "$1" >/dev/null 2>&1; }
