// An internet with NATs and firewalls, as RFC 4787 describes them: how a gate maps what goes out, and what it lets in.
import { type Endpoint, parseEndpoint, renderEndpoint } from "#schema/address";
import type { VirtualClock } from "./virtual-clock.ts";

export interface GateKind {
  readonly mapping: "none" | "endpoint-independent" | "address-and-port-dependent";
  readonly filtering: "endpoint-independent" | "address-dependent" | "address-and-port-dependent";
  readonly isUdpBlocked: boolean;
}

/** What stands between a host and the internet: a NAT, or a firewall on a public address. */
export interface Gate {
  readonly kind: GateKind;
  publicAddress(): string;
  /** Where others see the packet come from; null: blocked. */
  out(source: Endpoint, target: Endpoint): Endpoint | null;
  /** Whose packet it is inside; null: not let in. */
  in(arrivedAt: Endpoint, from: Endpoint): Endpoint | null;
  /** The mappings towards an address that are alive. */
  mappedTowards(address: string): Endpoint[];
  /** Forgets everything, and may come back with another address. */
  reboot(publicAddress: string): void;
}

/** Linux keeps a UDP mapping without answers for 30 s (nf_conntrack_udp_timeout), one with answers for 120 s. */
const UNANSWERED_MS = 30_000;
const ANSWERED_MS = 120_000;

interface Mapping {
  readonly source: Endpoint;
  /** Null: the same for every target. */
  readonly target: Endpoint | null;
  readonly port: number;
  readonly contacts: Map<Endpoint, { untilMs: number; isAnswered: boolean }>;
}

export function createGate(kind: GateKind, address: string, clock: VirtualClock, random: () => number): Gate {
  let publicAddress = address;
  let mappings: Mapping[] = [];
  const ownAddress = () => publicAddress;

  function prune(): void {
    const nowMs = clock.now();
    for (const { contacts } of mappings) {
      for (const [contact, { untilMs }] of contacts) if (untilMs <= nowMs) contacts.delete(contact);
    }
    mappings = mappings.filter(({ contacts }) => contacts.size > 0);
  }

  function toPort(source: Endpoint): number {
    const wanted = kind.mapping === "address-and-port-dependent" ? 0 : (parseEndpoint(source)?.port ?? 0);
    const isFree = (port: number) => port > 0 && !mappings.some((mapping) => mapping.port === port);
    let port = wanted;
    while (!isFree(port)) port = 1_024 + Math.floor(random() * 60_000);
    return port;
  }

  function find(source: Endpoint, target: Endpoint): Mapping {
    const key = kind.mapping === "address-and-port-dependent" ? target : null;
    const known = mappings.find((mapping) => mapping.source === source && mapping.target === key);
    if (known !== undefined) return known;
    const made = { source, target: key, port: toPort(source), contacts: new Map() };
    mappings.push(made);
    return made;
  }

  function isLetIn({ contacts }: Mapping, from: Endpoint): boolean {
    if (kind.filtering === "endpoint-independent") return true;
    if (kind.filtering === "address-and-port-dependent") return contacts.has(from);
    const address = parseEndpoint(from)?.address;
    return [...contacts.keys()].some((contact) => parseEndpoint(contact)?.address === address);
  }

  return {
    kind,
    publicAddress: ownAddress,
    out(source, target) {
      if (kind.isUdpBlocked) return null;
      prune();
      const mapping = find(source, target);
      const isAnswered = mapping.contacts.get(target)?.isAnswered ?? false;
      const untilMs = clock.now() + (isAnswered ? ANSWERED_MS : UNANSWERED_MS);
      mapping.contacts.set(target, { untilMs, isAnswered });
      if (kind.mapping === "none") return source;
      return renderEndpoint({ address: publicAddress, port: mapping.port });
    },
    in(arrivedAt, from) {
      if (kind.isUdpBlocked) return null;
      prune();
      const parts = parseEndpoint(arrivedAt);
      if (kind.mapping === "none" && kind.filtering === "endpoint-independent") return arrivedAt;
      const mapping = mappings.find((one) => one.port === parts?.port);
      if (mapping === undefined || !isLetIn(mapping, from)) return null;
      if (mapping.target !== null && kind.filtering !== "endpoint-independent" && !mapping.contacts.has(from))
        return null;
      mapping.contacts.set(from, { untilMs: clock.now() + ANSWERED_MS, isAnswered: true });
      return mapping.source;
    },
    mappedTowards(address) {
      prune();
      return mappings
        .filter(({ contacts }) => [...contacts.keys()].some((contact) => parseEndpoint(contact)?.address === address))
        .map(({ port }) => renderEndpoint({ address: publicAddress, port }));
    },
    reboot(next) {
      publicAddress = next;
      mappings = [];
    },
  };
}

export interface Host {
  readonly name: string;
  /** Its own, at the moment. */
  address: string;
  lan: string;
  gate: Gate;
  receive(packet: unknown, from: Endpoint, port: number): void;
}

export interface Faults {
  /** Packets the direct way from this host to the others. */
  readonly cutFrom: Set<string>;
  lossRatio: number;
  delayMs: number;
}

export interface SimulatedNetwork {
  readonly hosts: Host[];
  readonly faults: Faults;
  send(from: Host, port: number, target: Endpoint, packet: unknown): void;
}

export function createSimulatedNetwork(clock: VirtualClock, random: () => number): SimulatedNetwork {
  const hosts: Host[] = [];
  const faults: Faults = { cutFrom: new Set(), lossRatio: 0, delayMs: 20 };

  function deliver(host: Host, packet: unknown, from: Endpoint, at: Endpoint): void {
    host.receive(packet, from, parseEndpoint(at)?.port ?? 0);
  }

  function arrive(from: Endpoint, target: Endpoint, packet: unknown): void {
    const address = parseEndpoint(target)?.address ?? "";
    for (const host of hosts) {
      const isHere =
        host.gate.kind.mapping === "none" ? host.address === address : host.gate.publicAddress() === address;
      if (!isHere) continue;
      const inside = host.gate.in(target, from);
      if (inside !== null && parseEndpoint(inside)?.address === host.address) deliver(host, packet, from, inside);
    }
  }

  return {
    hosts,
    faults,
    send(from, port, target, packet) {
      if (faults.cutFrom.has(from.name) || random() < faults.lossRatio) return;
      const address = parseEndpoint(target)?.address ?? "";
      const source = renderEndpoint({ address: from.address, port });
      const neighbour = hosts.find((host) => host !== from && host.lan === from.lan && host.address === address);
      const delayMs = faults.delayMs * (0.8 + random() * 0.4);
      if (neighbour !== undefined) {
        clock.after(1, () => deliver(neighbour, packet, source, target));
        return;
      }
      const seen = from.gate.out(source, target);
      // Like most routers, these do not send back what comes from inside.
      if (seen === null || (from.gate.kind.mapping !== "none" && from.gate.publicAddress() === address)) return;
      clock.after(delayMs, () => arrive(seen, target, packet));
    },
  };
}
