// Makes a lab machine one that install.sh can be run in. It has this host's file tree: what the installer writes goes to folders of its own
// mount namespace, which end with it. A namespace has no service manager, so a stand-in for OpenRC starts the agent as becket.openrc says.
import type { LabNode } from "../lab/node.ts";

/** What the installer writes to, beside what each machine has of its own. */
const PRIVATE_FOLDERS = ["/usr/local", "/etc/init.d", "/etc/default", "/run/systemd"];

const RC_SERVICE = `#!/bin/sh
# rc-service [--quiet] becket start|stop|restart|status
for action in "$@"; do :; done
pid=/run/becket/stand-in.pid
is_up() { [ -f $pid ] && kill -0 "$(cat $pid)" 2>/dev/null; }
stop() { if is_up; then kill "$(cat $pid)"; while is_up; do sleep 0.1; done; fi; rm -f $pid; }
start() {
  set -a
  if [ -r /var/lib/becket/join.env ]; then . /var/lib/becket/join.env; fi
  set +a
  setsid /usr/local/bin/becket up </dev/null >>/run/becket/stand-in.log 2>&1 &
  echo $! >$pid
}
case $action in
  status) is_up ;;
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
      // Whoever is in the lab is root.
      "printf '#!/bin/sh\\nexec \"$@\"\\n' >/usr/local/bin/sudo",
      "chmod 755 /usr/local/bin/*",
    ].join("\n"),
    "prepare",
    process.execPath,
    RC_SERVICE,
  ]);
}
