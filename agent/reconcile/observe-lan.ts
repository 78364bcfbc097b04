// What planLan needs to know of the machine's own interfaces. Looked at only where networks are announced, or something is left of them.
import { INTERFACE_PREFIX } from "../net/interface-name.ts";
import type { ForwardGuard } from "../net/nft/forward-guard.ts";
import type { LanGuard } from "../net/nft/lan-rules.ts";
import type { Route } from "../net/parse-ip.ts";
import type { Files } from "../system/files.ts";
import type { DesiredDevice } from "./desired-device.ts";
import { isSameMark, type LanMark, type LanMarks } from "./lan-marks.ts";
import type { MachineRoutes, ObservedState } from "./observed-state.ts";

export interface ObservedLan {
  /** IPv4 and IPv6, by interfaces that are no mesh's. */
  readonly routes: readonly Route[];
  readonly links: ReadonlyMap<string, LanLink>;
  /** The system forwards on all interfaces: `net.ipv4.conf.all.forwarding`, `net.ipv6.conf.all.forwarding`. */
  readonly isForwardingAll: { readonly ipv4: boolean; readonly ipv6: boolean };
  /** What we switched on: by the file, or because rules of ours are there. */
  readonly marks: readonly LanMark[];
  /** The file has all of them. */
  readonly areMarksKept: boolean;
  readonly guards: readonly LanGuard[];
}

export interface LanLink {
  /** It forwards packets that come in on it. */
  readonly ipv4: boolean;
  /** Null: no interface can forward IPv6 by itself here (Linux before 6.17). */
  readonly ipv6: boolean | null;
}

export interface LanEyes {
  readonly guard: ForwardGuard;
  readonly files: Pick<Files, "read">;
  readonly marks: LanMarks;
}

/** Null: nothing of it is wanted, and nothing is left. */
export async function readLan(
  { guard, files, marks }: LanEyes,
  { links }: ObservedState,
  { ipv4: ipv4Routes, ipv6: ipv6Routes }: MachineRoutes,
  devices: readonly DesiredDevice[],
): Promise<ObservedLan | null> {
  const networks = devices.flatMap((device) => device.networks);
  const marked = await marks.read();
  if (networks.length === 0 && marked.length === 0) return null;
  const readSwitch = async (key: string) => {
    const text = await files.read(`/proc/sys/net/${key}`);
    return text === null ? null : text.trim() === "1";
  };
  const own = [...ipv4Routes, ...ipv6Routes].filter(({ device }) => !device.startsWith(INTERFACE_PREFIX));
  const guards = (await guard.read()).lan;
  const lost = guards.filter((one) => !marked.some((mark) => isSameMark(mark, one)));
  const known = [...marked, ...lost.map(({ name, family }) => ({ name, family }))];
  const concerned = new Set([...own.map(({ device }) => device), ...known.map(({ name }) => name)]);
  const present = links.filter(({ name, isLoopback }) => concerned.has(name) && !isLoopback);
  const read = async (name: string): Promise<[string, LanLink]> => {
    const [ipv4, ipv6] = await Promise.all([
      readSwitch(`ipv4/conf/${name}/forwarding`),
      readSwitch(`ipv6/conf/${name}/force_forwarding`),
    ]);
    return [name, { ipv4: ipv4 === true, ipv6 }];
  };
  const [ipv4, ipv6, ...found] = await Promise.all([
    readSwitch("ipv4/conf/all/forwarding"),
    readSwitch("ipv6/conf/all/forwarding"),
    ...present.map(({ name }) => read(name)),
  ]);
  return {
    routes: own,
    links: new Map(found),
    isForwardingAll: { ipv4: ipv4 === true, ipv6: ipv6 === true },
    marks: known,
    areMarksKept: lost.length === 0,
    guards,
  };
}
