// Makes a lab machine one that install.sh can be run in. It has this host's file tree: what the installer writes goes to folders of its own
// mount namespace, which end with it. A namespace has no service manager, so a stand-in for OpenRC does what becket.openrc says, and starts again whatever
// ends; the scenario `openrc` has the real one.
import type { LabNode } from "../lab/node.ts";

/** What the installer writes to, beside what each machine has of its own. */
const PRIVATE_FOLDERS = ["/usr/local", "/etc/init.d", "/etc/default", "/run/systemd", "/var/log"];

const RC_SERVICE = `#!/bin/sh
# rc-service [--quiet] becket start|stop|restart|status
for action in "$@"; do :; done
pid=/run/becket/stand-in.pid
is_up() { [ -f $pid ] && kill -0 "$(cat $pid)" 2>/dev/null; }
stop() { if is_up; then kill "$(cat $pid)"; while is_up; do sleep 0.1; done; fi; rm -f $pid; }
checkpath() { for folder in "$@"; do :; done; mkdir -p "$folder"; }
start() {
  start_pre
  setsid "$0" becket supervise </dev/null >>$error_log 2>&1 &
  echo $! >$pid
}
# As supervise-daemon: whatever ends, with whatever exit code.
supervise() {
  trap 'kill $child; wait $child; exit' TERM
  while :; do
    $command & child=$!
    wait $child
    sleep $respawn_delay & child=$!
    wait $child
  done
}
. /etc/init.d/becket
case $action in
  status) is_up ;;
  supervise) supervise ;;
  stop) stop ;;
  start) start ;;
  restart) stop; start ;;
esac
`;

/** @returns when the line that the dashboard shows can be run in it by a shell */
export async function prepareInstaller(machine: LabNode): Promise<void> {
  const mounts = PRIVATE_FOLDERS.map((folder) => `if [ -d ${folder} ]; then mount -t tmpfs becket-lab ${folder}; fi`);
  await machine.exec([
    "sh",
    "-euc",
    [
      // Node.js may be in one of them: it is copied out before they are covered.
      "copy=$(mktemp -d)",
      'mount -t tmpfs becket-lab "$copy"',
      'cp "$1" "$copy/node"',
      ...mounts,
      "mkdir -p /usr/local/bin",
      'cp "$copy/node" /usr/local/bin/node',
      'umount "$copy"',
      'rmdir "$copy"',
      'printf "%s" "$2" >/usr/local/bin/rc-service',
      "printf '#!/bin/sh\\n' >/usr/local/bin/rc-update",
      "printf '#!/bin/sh\\nexec rc-service becket stop\\n' >/usr/local/bin/supervise-daemon",
      // Whoever is in the lab is root.
      "printf '#!/bin/sh\\nexec \"$@\"\\n' >/usr/local/bin/sudo",
      "chmod 755 /usr/local/bin/*",
    ].join("\n"),
    "prepare",
    process.execPath,
    RC_SERVICE,
  ]);
}
