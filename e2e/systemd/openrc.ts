// Debian's OpenRC for a machine of systemd-machine.ts: its real rc-service, openrc-run and supervise-daemon, and no boot.
import { appendFileSync, mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { run } from "../lab/system/exec.ts";
import type { ServiceManager } from "./systemd-machine.ts";

/** As files: Debian's package would make itself the machine's init. Folders of the packages may be links here (/sbin). */
const UNPACK = `for name in openrc librc1 libeinfo1; do
  dpkg-deb --fsys-tarfile /srv/packages/"$name"_*.deb | tar -x --keep-directory-symlink -C /
done
ldconfig`;

const STATES =
  "daemons exclusive failed hotplugged inactive options scheduled started starting stopping tmp wasinactive"
    .split(" ")
    .map((name) => `/run/openrc/${name}`);

export const OPENRC: ServiceManager = {
  async install(folder) {
    await run(["chroot", folder, "sh", "-ec", UNPACK]);
    mkdirSync(path.join(folder, "etc/runlevels/default"), { recursive: true });
    // Of Debian's insserv, which OpenRC reads.
    writeFileSync(path.join(folder, "etc/insserv.conf"), "");
    // The network is there before it: the lab's.
    appendFileSync(path.join(folder, "etc/rc.conf"), '\nrc_provide="loopback net"\n');
  },
  // Beside a first process that takes in whom the others leave behind.
  options: ["--as-pid2"],
  // What OpenRC makes when it boots a machine.
  program: ["sh", "-c", `mkdir -p ${STATES.join(" ")} && : >/run/openrc/softlevel && exec sleep infinity`],
  isUp: "if [ -e /run/openrc/softlevel ]; then echo running; fi",
};
