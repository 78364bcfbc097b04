// What install.sh meets: shells, distributions, service managers; how it is run, and what is seen of that.
import { hasProgram } from "./host-programs.ts";

export const SHELLS = { dash: ["dash"], "busybox sh": ["busybox", "sh"] } as const;
export type Shell = keyof typeof SHELLS;
export const SHELLS_HERE = (Object.keys(SHELLS) as Shell[]).filter((shell) => hasProgram(SHELLS[shell][0]));

export const ORIGIN = "https://becket.test";
export const TOKEN = `bkj_${"a".repeat(43)}`;
export const JOIN = { env: { BECKET_TOKEN: TOKEN } };
/** A run starts some hundred programs; a busy machine takes its time. */
export const BUSY_MS = 60_000;

/** The host's own, that the script uses. */
export const TOOLS =
  "sed awk grep tail cut cat sort comm tr mktemp rm mv cp mkdir rmdir chmod chown sha256sum sleep env printenv tar gzip md5sum flock setsid timeout wc".split(
    " ",
  );

export interface StubSystem {
  readonly prettyName: string;
  readonly packager: { readonly hides: readonly string[] };
  readonly services: { readonly name: string; readonly hides: readonly string[] };
  /** What the stubs are asked for. */
  readonly answers: Readonly<Record<string, string>>;
}

const APT = ["apt-get", "apt-cache", "dpkg-query"];
const DNF = ["dnf", "rpm"];
const APK = ["apk"];
const SYSTEMD = { name: "systemd", hides: ["rc-service", "rc-update"] };
const OPENRC = { name: "openrc", hides: ["systemctl", "journalctl"] };
export const NO_SERVICES = { name: "none", hides: [...SYSTEMD.hides, ...OPENRC.hides] };
export const NO_PACKAGER = { hides: [...APT, ...DNF, ...APK] };

export const SYSTEMS = {
  debian12: {
    prettyName: "Debian GNU/Linux 12 (bookworm)",
    packager: { hides: [...DNF, ...APK] },
    services: SYSTEMD,
    answers: { "apt-candidate": "18.20.4+dfsg-1~deb12u1", "kernel-wireguard": "" },
  },
  debian13: {
    prettyName: "Debian GNU/Linux 13 (trixie)",
    packager: { hides: [...DNF, ...APK] },
    services: SYSTEMD,
    answers: { "apt-candidate": "20.19.2+dfsg-1", "node-version": "20.19.2", "kernel-wireguard": "" },
  },
  fedora: {
    prettyName: "Fedora Linux 43",
    packager: { hides: [...APT, ...APK] },
    services: SYSTEMD,
    answers: { "node-version": "22.20.0", "kernel-wireguard": "" },
  },
  alpine: {
    prettyName: "Alpine Linux v3.22",
    packager: { hides: [...APT, ...DNF] },
    services: OPENRC,
    answers: { "node-version": "22.16.0" },
  },
} as const satisfies Record<string, StubSystem>;

export interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** What the stubs were told, in order. */
  readonly calls: string[];
}

export interface RunOptions {
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** In the place of the one that is served. */
  readonly script?: string;
}
