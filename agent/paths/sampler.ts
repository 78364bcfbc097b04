// Looks at what WireGuard sends and receives, at most once a second, and only when something passed the interface: an idle mesh costs two
// small reads a second and no process.
import type { WireGuardPublicKey } from "#schema/ids";
import type { Clock } from "../system/clock.ts";
import type { Files } from "../system/files.ts";
import type { Logger } from "../system/logger.ts";
import type { WireGuardDevice, WireGuardPeer } from "../wireguard/parse-dump.ts";

export interface PeerSample {
  readonly peer: WireGuardPeer;
  readonly rxBytesPerSecond: number;
  readonly txBytesPerSecond: number;
  /** Since the look before. */
  readonly sentBytes: number;
  readonly receivedBytes: number;
}

export interface Sampler {
  start(): void;
  /** Looks every second until then, whether something passes or not. */
  watchUntil(atMs: number): void;
  newest(publicKey: WireGuardPublicKey): PeerSample | null;
  stop(): void;
}

interface Options {
  readonly interfaceName: string;
  readonly files: Pick<Files, "readKernel">;
  readonly clock: Clock;
  readonly log: Logger;
  readonly readDevice: () => Promise<WireGuardDevice | null>;
  readonly onSamples: (samples: readonly PeerSample[]) => void;
}

const LOOK_INTERVAL_MS = 1_000;
export function createSampler(options: Options): Sampler {
  const { interfaceName, files, clock, log } = options;
  const counters = ["rx_packets", "tx_packets"].map((name) => `/sys/class/net/${interfaceName}/statistics/${name}`);
  let samples = new Map<WireGuardPublicKey, PeerSample>();
  let sampledAtMs: number | null = null;
  let lastCount = "";
  /** One more look after the last packet: rates fall to nothing, answers are seen. */
  let isSettled = true;
  let watchedUntilMs = 0;
  let cancel = () => {};
  let isStopped = false;

  async function look(): Promise<void> {
    const count = counters.map((file) => files.readKernel(file)).join();
    const isMoving = count !== lastCount;
    lastCount = count;
    if (isMoving || !isSettled || clock.now() < watchedUntilMs) await sample();
    isSettled = !isMoving;
  }

  async function sample(): Promise<void> {
    const device = await options.readDevice();
    if (device === null || isStopped) return;
    const nowMs = clock.now();
    const seconds = sampledAtMs === null ? null : Math.max(0.001, (nowMs - sampledAtMs) / 1_000);
    sampledAtMs = nowMs;
    samples = new Map(
      device.peers.map((peer) => [peer.publicKey, toSample(peer, samples.get(peer.publicKey), seconds)]),
    );
    options.onSamples([...samples.values()]);
  }

  function schedule(): void {
    if (isStopped) return;
    cancel = clock.setTimer(LOOK_INTERVAL_MS, () => {
      look()
        .catch((error: unknown) => log.debug("WireGuard could not be looked at", { error }))
        .finally(schedule);
    });
  }

  return {
    start: schedule,
    watchUntil(atMs) {
      watchedUntilMs = Math.max(watchedUntilMs, atMs);
    },
    newest: (publicKey) => samples.get(publicKey) ?? null,
    stop() {
      isStopped = true;
      cancel();
    },
  };
}

function toSample(peer: WireGuardPeer, before: PeerSample | undefined, seconds: number | null): PeerSample {
  const receivedBytes = Math.max(0, peer.receivedBytes - (before?.peer.receivedBytes ?? peer.receivedBytes));
  const sentBytes = Math.max(0, peer.sentBytes - (before?.peer.sentBytes ?? peer.sentBytes));
  return {
    peer,
    rxBytesPerSecond: seconds === null ? 0 : receivedBytes / seconds,
    txBytesPerSecond: seconds === null ? 0 : sentBytes / seconds,
    sentBytes,
    receivedBytes,
  };
}
