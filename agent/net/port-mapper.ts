// Asks the router of this machine's network to let UDP ports through to it, and keeps asking while the agent runs.
//
// A round finds out what the router speaks, maps or renews each port by the best protocol that does it, and says when the next is due.
// Rounds never overlap. Where no router answers, the next round is an hour away or at the next change of the network.
import { type Endpoint, renderEndpoint } from "#schema/address";
import { err, type Result } from "#schema/result";
import type { Clock } from "../system/clock.ts";
import type {
  Mapping,
  MappingFailure,
  MappingProtocol,
  MappingProtocolName,
  MappingSession,
  MappingWish,
  Router,
} from "./port-mapping/mapping-protocol.ts";

export interface PortMapper {
  /** Keeps UDP mappings for these ports, and releases those for others. To be called again when the ports change. */
  start(ports: readonly number[], onChange: () => void): void;
  state(): PortMapperState;
  networkChanged(): void;
  /** Releases all, as far as the router answers soon. Never rejects. */
  stop(): Promise<void>;
}

export interface PortMapperState {
  /** What the router speaks, the best first. */
  readonly protocols: MappingProtocolName[];
  readonly mappings: { port: number; endpoint: Endpoint; protocol: MappingProtocolName }[];
  /** Why not all is mapped, in a sentence. */
  readonly problem: string | null;
}

export interface PortMapperTimings {
  /** What is asked for; the router may give less. RFC 6886 section 3.3 recommends two hours. */
  readonly lifetimeSeconds: number;
  /** A router that restarts forgets its mappings and tells nobody: renew often enough to notice. */
  readonly maxRenewMs: number;
  readonly minRenewMs: number;
  /** After a router that had answered did not: these waits, one after the other, then `retryMs`. */
  readonly lostMs: readonly number[];
  readonly retryMs: number;
  readonly releaseMs: number;
}

export const PORT_MAPPER_TIMINGS: PortMapperTimings = {
  lifetimeSeconds: 7_200,
  maxRenewMs: 600_000,
  minRenewMs: 15_000,
  lostMs: [60_000, 300_000],
  retryMs: 3_600_000,
  releaseMs: 2_000,
};

export interface PortMapperPorts {
  readonly readRouter: () => Router | null;
  /** The best first. */
  readonly protocols: readonly MappingProtocol[];
  readonly clock: Clock;
  readonly timings: PortMapperTimings;
}

interface Speaker {
  readonly name: MappingProtocolName;
  readonly session: MappingSession;
}
interface Held {
  readonly speaker: Speaker;
  readonly mapping: Mapping;
  /** 0: the network is another since, so nobody knows whether it still holds. */
  readonly renewAt: number;
}

export function createPortMapper({ readRouter, protocols, clock, timings }: PortMapperPorts): PortMapper {
  let wanted: readonly number[] = [];
  let onChange = () => {};
  let router: Router | null = null;
  let speakers: Speaker[] = [];
  let problem: string | null = null;
  const held = new Map<number, Held>();
  /** What a router may have mapped, known or not: an answer can get lost. */
  const asked = new Map<number, MappingSession>();
  let losses = timings.lostMs.length;
  let isStopped = true;
  let isDue = false;
  let isRouterDoubted = false;
  let aborter = new AbortController();
  let running: Promise<void> | null = null;
  let cancelTimer = () => {};
  let told = "";

  function trigger(): void {
    if (isStopped) return;
    isDue = true;
    running ??= run().finally(() => {
      running = null;
    });
  }

  async function run(): Promise<void> {
    cancelTimer();
    while (isDue && !isStopped) {
      isDue = false;
      const { signal } = aborter;
      try {
        await round(signal);
      } catch (error) {
        if (signal.aborted) continue;
        problem = `port mapping failed: ${String(error)}`;
      }
      if (!isStopped) tell();
    }
    if (!isStopped) cancelTimer = clock.setTimer(untilNext(), trigger);
  }

  async function round(signal: AbortSignal): Promise<void> {
    const current = readRouter();
    if (current?.address !== router?.address || current?.localAddress !== router?.localAddress) {
      // What another router mapped is out of reach, and ends by itself.
      held.clear();
      asked.clear();
      speakers = [];
    }
    router = current;
    problem = null;
    for (const port of [...asked.keys()]) if (!wanted.includes(port)) await release(port, signal);
    if (wanted.length === 0) return;
    if (router === null) {
      problem = "this machine has no IPv4 default route through a router";
      return;
    }
    if (speakers.length === 0 || isRouterDoubted) speakers = await findSpeakers(router, signal);
    isRouterDoubted = false;
    if (speakers.length === 0) problem = `the router ${router.address} does not answer to PCP, NAT-PMP or UPnP`;
    for (const port of wanted) if (clock.now() >= (held.get(port)?.renewAt ?? 0)) await keep(port, signal);
  }

  async function findSpeakers(at: Router, signal: AbortSignal): Promise<Speaker[]> {
    const found = await Promise.all(
      protocols.map(async ({ name, find }) => {
        const session = await find(at, signal);
        return session.ok ? [{ name, session: session.value }] : [];
      }),
    );
    return found.flat();
  }

  async function keep(port: number, signal: AbortSignal): Promise<void> {
    const before = held.get(port);
    const first = speakers.filter(({ name }) => name === before?.speaker.name);
    for (const speaker of new Set([...first, ...speakers])) {
      const externalPort = before?.mapping.externalPort ?? port;
      const mapped = await map(
        speaker.session,
        { port, externalPort, lifetimeSeconds: timings.lifetimeSeconds },
        signal,
      );
      if (mapped.ok) {
        held.set(port, { speaker, mapping: mapped.value, renewAt: clock.now() + untilRenewal(mapped.value) });
        losses = 0;
        return;
      }
      problem = mapped.error.message;
    }
    // It answered once: who knows what it is by now.
    isRouterDoubted = true;
    held.delete(port);
  }

  async function map(
    session: MappingSession,
    wish: MappingWish,
    signal: AbortSignal,
  ): Promise<Result<Mapping, MappingFailure>> {
    asked.set(wish.port, session);
    const mapped = await session.map(wish, signal);
    if (!mapped.ok) return mapped;
    const { externalAddress, externalPort } = mapped.value;
    if (externalPort > 0 && externalAddress !== "0.0.0.0") return mapped;
    return err({ code: "useless", message: `the router ${router?.address} has no address itself` });
  }

  async function release(port: number, signal: AbortSignal): Promise<void> {
    held.delete(port);
    await asked.get(port)?.release(port, signal);
    asked.delete(port);
  }

  function untilRenewal({ lifetimeSeconds }: Mapping): number {
    const half = lifetimeSeconds === null ? timings.maxRenewMs : lifetimeSeconds * 500;
    return Math.max(timings.minRenewMs, Math.min(timings.maxRenewMs, half));
  }
  function untilNext(): number {
    const isComplete = wanted.every((port) => held.has(port));
    const renewals = [...held.values()].map(({ renewAt }) => Math.max(0, renewAt - clock.now()));
    const retry = isComplete ? [] : [timings.lostMs[losses++] ?? timings.retryMs];
    return Math.min(timings.retryMs, ...renewals, ...retry);
  }

  function tell(): void {
    const text = JSON.stringify(state());
    if (text === told) return;
    told = text;
    onChange();
  }
  function state(): PortMapperState {
    const mappings = wanted.flatMap((port) => {
      const { mapping, speaker, renewAt } = held.get(port) ?? {};
      if (mapping === undefined || speaker === undefined || renewAt === 0) return [];
      const { externalAddress: address, externalPort } = mapping;
      return [{ port, endpoint: renderEndpoint({ address, port: externalPort }), protocol: speaker.name }];
    });
    return { protocols: speakers.map(({ name }) => name), mappings, problem };
  }

  return {
    start(ports, listener) {
      wanted = [...new Set(ports)];
      onChange = listener;
      isStopped = false;
      trigger();
    },
    state,
    networkChanged() {
      // What waits for an answer from the network that was, waits in vain.
      aborter.abort();
      aborter = new AbortController();
      isRouterDoubted = true;
      losses = timings.lostMs.length;
      for (const [port, one] of held) held.set(port, { ...one, renewAt: 0 });
      // Whoever heard of the change has dropped what was mapped: it is told again, also where it is the same.
      told = "";
      trigger();
    },
    async stop() {
      isStopped = true;
      cancelTimer();
      aborter.abort();
      aborter = new AbortController();
      await running;
      const limit = new AbortController();
      const cancelLimit = clock.setTimer(timings.releaseMs, () => limit.abort());
      await Promise.allSettled([...asked.keys()].map((port) => release(port, limit.signal)));
      cancelLimit();
      held.clear();
      asked.clear();
      speakers = [];
      problem = null;
      told = "";
    },
  };
}
