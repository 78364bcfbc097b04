// Pings without a pause inside a namespace, until told to end.
import type { Namespace } from "./namespace.ts";

export interface Flood {
  /** `lost`: but for the last, which may be under way. */
  end(): Promise<{ sent: number; lost: number }>;
}

/** Ends by itself after 100 s, also when nobody ends it. */
export function startFlood(namespace: Namespace, address: string, { intervalMs = 2 } = {}): Flood {
  const pidFile = `/run/ping-${address}`;
  const argv = ["ping", "-i", String(intervalMs / 1_000), "-q", "-w", "100", address] as const;
  const running = namespace.exec.run(["sh", "-c", `echo $$ > ${pidFile}; exec "$@"`, "sh", ...argv], {
    timeoutMs: 110_000,
  });
  return {
    async end() {
      const { stdout: pid } = await namespace.exec.run(["cat", pidFile]);
      await namespace.exec.run(["kill", "-INT", pid.trim()]);
      const { stdout } = await running;
      const [, sent = 0, received = 0] = /(\d+) packets transmitted, (\d+) received/.exec(stdout) ?? [];
      return { sent: Number(sent), lost: Math.max(0, Number(sent) - Number(received) - 1) };
    },
  };
}
