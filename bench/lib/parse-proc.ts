// What the kernel tells of a process in /proc (proc_pid_stat(5), proc_pid_status(5)), as numbers. Pure.

export interface ProcessTimes {
  /** As the kernel cuts it, at most 15 characters. */
  readonly name: string;
  /** Clock ticks of the process itself, in user and kernel mode. */
  readonly ownTicks: number;
  /** Clock ticks of children that have ended and were waited for, and of theirs. */
  readonly childTicks: number;
}

/** Linux tells times to programs in this unit on every architecture (USER_HZ). */
export const TICKS_PER_SECOND = 100;

/** `/proc/PID/stat`. */
export function parseStat(text: string): ProcessTimes {
  // The name is in parentheses and may have some of its own.
  const end = text.lastIndexOf(")");
  const name = text.slice(text.indexOf("(") + 1, end);
  const fields = text.slice(end + 2).split(" ");
  // Counted from the state, which is field 3 of the manual: utime is field 14.
  const [user, system, childUser, childSystem] = fields.slice(11, 15).map(Number);
  const ownTicks = (user ?? Number.NaN) + (system ?? Number.NaN);
  const childTicks = (childUser ?? Number.NaN) + (childSystem ?? Number.NaN);
  if (Number.isNaN(ownTicks + childTicks)) throw new Error(`no process times in: ${text.slice(0, 200)}`);
  return { name, ownTicks, childTicks };
}

/** `VmRSS` of `/proc/PID/status`, in MiB. */
export function parseRssMb(status: string): number {
  const kib = /^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1];
  if (kib === undefined) throw new Error("no VmRSS: the process has ended");
  return Number(kib) / 1_024;
}

/** `/proc/PID/smaps_rollup`, in MiB. Pss: a page that n processes share counts for each of them as 1/n of a page. */
export function parseMemory(text: string): { readonly rssMb: number; readonly pssMb: number } {
  const read = (name: string): number => {
    const kib = new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(text)?.[1];
    if (kib === undefined) throw new Error(`no ${name}: the process has ended`);
    return Number(kib) / 1_024;
  };
  return { rssMb: read("Rss"), pssMb: read("Pss") };
}
