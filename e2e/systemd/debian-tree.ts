// A small Debian with systemd, as a folder: made once, kept in /var/cache, copied for each machine. Its apt has one repository, in the tree
// itself, with what the installer may want: a lab has no internet, and apt does all the rest as ever.
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { run } from "../lab/system/exec.ts";
import { withLock } from "../lab/system/lock.ts";

const SUITE = "bookworm";
const MIRROR = "http://deb.debian.org/debian";
const INCLUDED = ["systemd", "systemd-sysv", "dbus", "curl", "ca-certificates"];
/** Debian's Node.js is not among them: bookworm's is too old for the agent. OpenRC is for machines that it runs. */
const OFFERED = ["wireguard-tools", "wireguard-go", "nftables", "bird2", "procps", "iproute2", "openrc"];
/** A new number for another recipe. */
const RECIPE = 2;
const CACHE = "/var/cache/becket-lab";
const MAKE_LIMIT_MS = 900_000;

export const machinesFolder = path.join(CACHE, "machines");

/** @returns the folder of the tree; takes about a minute at the first time, and needs Debian's mirror then */
export async function ensureDebianTree(): Promise<string> {
  const tree = path.join(CACHE, `${SUITE}-${RECIPE}`);
  await withLock("becket-lab-debian-tree", () => (existsSync(tree) ? undefined : makeTree(tree)), MAKE_LIMIT_MS);
  return tree;
}

async function makeTree(tree: string): Promise<void> {
  const draft = `${tree}.draft`;
  rmSync(draft, { recursive: true, force: true });
  mkdirSync(draft, { recursive: true });
  const limit = { timeoutMs: MAKE_LIMIT_MS };
  const include = `--include=${INCLUDED.join(",")}`;
  await run(["debootstrap", "--variant=minbase", include, SUITE, draft, MIRROR], limit);
  const inTree = (...argv: string[]) => run(["chroot", draft, ...argv], limit);
  await inTree("apt-get", "clean");
  await inTree("apt-get", "-qq", "update");
  await inTree("apt-get", "-qq", "install", "-y", "--no-install-recommends", "--download-only", ...OFFERED);
  await offer(draft);
  renameSync(draft, tree);
}

/** What was downloaded becomes the only repository. */
async function offer(draft: string): Promise<void> {
  const repository = path.join(draft, "srv/packages");
  const archives = path.join(draft, "var/cache/apt/archives");
  mkdirSync(repository, { recursive: true });
  const stanzas: string[] = [];
  for (const file of readdirSync(archives).filter((name) => name.endsWith(".deb"))) {
    const deb = path.join(repository, file);
    renameSync(path.join(archives, file), deb);
    const { stdout: fields } = await run(["dpkg-deb", "--field", deb]);
    const { stdout: sum } = await run(["sha256sum", deb]);
    const { stdout: size } = await run(["stat", "--format=%s", deb]);
    stanzas.push(`${fields.trimEnd()}\nFilename: ./${file}\nSize: ${size.trim()}\nSHA256: ${sum.split(" ")[0]}\n`);
  }
  writeFileSync(path.join(repository, "Packages"), stanzas.join("\n"));
  writeFileSync(path.join(draft, "etc/apt/sources.list"), "deb [trusted=yes] file:/srv/packages ./\n");
  rmSync(path.join(draft, "var/lib/apt/lists"), { recursive: true });
}
