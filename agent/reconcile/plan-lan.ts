// Packets of announced networks come in by an interface that is not ours, and a machine forwards only what comes in where forwarding is on.
// Where the system has it on already, it is left alone. Where not, we switch it on, with rules that let nothing through but what those
// networks send into the meshes, and off again when nobody needs it. Pure.
import { isDefaultRoute, isIpv6Prefix, isWithin, type Prefix } from "#schema/prefix";
import { isSameLanGuards, type LanGuard } from "../net/nft/lan-rules.ts";
import type { Route } from "../net/parse-ip.ts";
import type { AnnouncedNetwork, DesiredDevice } from "./desired-device.ts";
import { isSameMark, type LanMark } from "./lan-marks.ts";
import type { ObservedLan } from "./observe-lan.ts";
import type { Problem } from "./plan.ts";
import type { StepArgs } from "./steps.ts";

export interface LanPlan {
  /** Null: all is as it should be. */
  readonly step: { readonly reason: string; readonly args: StepArgs["lan.forward"] } | null;
  readonly problems: readonly Problem[];
}

/** @param devices after `shareNetworks` */
export function planLan(devices: readonly DesiredDevice[], lan: ObservedLan): LanPlan {
  const wanted = toWanted(devices, lan.routes);
  const isMarked = (one: LanMark) => lan.marks.some((mark) => isSameMark(mark, one));
  const isOn = ({ name, family }: LanMark) => lan.links.get(name)?.[family] === true;
  // Somebody who switches it on for all interfaces makes this machine a router: then it is theirs, ours too.
  const isTheirs = (one: LanMark) => lan.isForwardingAll[one.family] || (isOn(one) && !isMarked(one));
  const ours = wanted.filter((one) => !isTheirs(one) && lan.links.get(one.name)?.[one.family] !== null);
  const marks = ours.map(({ name, family }) => ({ name, family }));
  const on = marks.filter((one) => !isOn(one));
  const left = lan.marks.filter((mark) => !marks.some((one) => isSameMark(one, mark)));
  const off = left.filter((one) => !lan.isForwardingAll[one.family] && lan.links.has(one.name));
  const reasons = [
    ...on.map(({ name, family }) => `${name} has to forward ${family}`),
    ...left.map(({ name, family }) => `${name} has to forward ${family} for us no more`),
    ...(isSameLanGuards(lan.guards, ours) ? [] : ["other networks are behind this machine"]),
    ...(lan.areMarksKept ? [] : ["what we switched on is not noted"]),
  ];
  return {
    step: reasons.length === 0 ? null : { reason: reasons.join("; "), args: { on, off, guards: ours, marks } },
    problems: wanted.flatMap((one) => toProblems(one, lan, isOn(one))),
  };
}

function toProblems({ name, family }: LanGuard, lan: ObservedLan, isOn: boolean): Problem[] {
  const isForAll = lan.isForwardingAll[family];
  const fail = (code: Problem["code"], message: string): Problem[] => [{ step: "lan.forward", code, message }];
  if (family === "ipv4" && isForAll && !isOn)
    return fail(
      "lan_not_forwarding",
      `this host forwards on all interfaces but ${name}, by which announced networks answer`,
    );
  if (family === "ipv6" && !isForAll && lan.links.get(name)?.ipv6 === null)
    return fail(
      "ipv6_not_forwarded",
      `IPv6 networks behind ${name} can't be reached: before Linux 6.17 that takes net.ipv6.conf.all.forwarding=1, which is for this machine's operator to set`,
    );
  return [];
}

/** By interface and family: the networks that it leads to, and the meshes that they are announced in. */
function toWanted(devices: readonly DesiredDevice[], routes: readonly Route[]): LanGuard[] {
  const wanted = new Map<string, LanGuard & { networks: { prefix: Prefix; to: string }[] }>();
  for (const { interfaceName, networks } of devices) {
    for (const { prefix } of networks) {
      const family = isIpv6Prefix(prefix) ? "ipv6" : "ipv4";
      for (const name of toLinkNames(prefix, routes)) {
        const known = wanted.get(`${name} ${family}`) ?? { name, family, networks: [] };
        wanted.set(`${name} ${family}`, known);
        known.networks.push({ prefix, to: interfaceName });
      }
    }
  }
  return [...wanted.values()];
}

/** By which the kernel reaches the network, and parts of it that it reaches elsewhere. A default route leads where the machine's own does. */
export function toLinkNames(prefix: Prefix, routes: readonly Route[]): string[] {
  const lengthOf = ({ destination }: Route) => Number(destination.split("/")[1]);
  const [around] = routes
    .filter(({ destination }) => isSameFamily(destination, prefix) && isWithin(prefix, destination))
    .sort((a, b) => lengthOf(b) - lengthOf(a));
  const inside = isDefaultRoute(prefix)
    ? []
    : routes.filter(({ destination }) => isSameFamily(destination, prefix) && isWithin(destination, prefix));
  return [...new Set([...(around === undefined ? [] : [around]), ...inside].map(({ device }) => device))];
}

const isSameFamily = (left: string, right: string): boolean => isIpv6Prefix(left) === isIpv6Prefix(right);

/** A gateway forwards between meshes: what is behind it in one is behind it in the others, too. */
export function shareNetworks(devices: readonly DesiredDevice[]): DesiredDevice[] {
  return devices.map((device) => {
    const others = devices.filter(
      ({ interfaceName }) => interfaceName !== device.interfaceName && device.forwardsTo.includes(interfaceName),
    );
    const networks: AnnouncedNetwork[] = others.flatMap((other) => other.networks);
    return networks.length === 0 ? device : { ...device, networks: [...device.networks, ...networks] };
  });
}
