// What this process uses, as it is counted by the system.
export interface ProcessUsage {
  readonly cpuSeconds: number;
  readonly residentBytes: number;
  /** Milliseconds since the epoch. */
  readonly startedAtMs: number;
}

export function createReadProcess(): () => ProcessUsage {
  // Once: by a clock that is set it would change, and a process starts only once.
  const startedAtMs = Math.round(Date.now() - process.uptime() * 1_000);
  return () => {
    const { user, system } = process.cpuUsage();
    return { cpuSeconds: (user + system) / 1e6, residentBytes: process.memoryUsage.rss(), startedAtMs };
  };
}
