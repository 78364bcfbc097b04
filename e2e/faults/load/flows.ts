// One TCP connection between each two machines, opened once before the first fault: none of them may break.
import { readFileSync } from "node:fs";
import path from "node:path";
import { eventually } from "../../lab/probes/eventually.ts";
import { type FaultFleet, MACHINES } from "../kinds/fault.ts";
import { toPairs } from "./fault-fleet.ts";

const PORT = 7_100;
const PROGRAM = path.join(import.meta.dirname, "flow-process.ts");
/** After a silence of a minute TCP itself tries again after up to 51 s (RFC 6298: the wait doubles). */
const MOVES_WITHIN_MS = 90_000;

interface Told {
  readonly to: string;
  readonly echoed?: number;
  readonly problem?: string;
}

export interface Flows {
  /** What broke since the last look, in words. */
  takeProblems(): string[];
  /** Waits until each has moved on; those that have not, in words. */
  untilMoved(): Promise<string[]>;
}

export async function startFlows({ fleet, addresses }: FaultFleet): Promise<Flows> {
  const logs = new Map<string, string>();
  for (const name of MACHINES.toReversed()) {
    const node = fleet.lab.machine(name);
    const targets = toPairs().flatMap(([from, to]) => (from === name ? [`${to}=${addresses.get(to)?.ipv4}`] : []));
    const logFile = path.join(node.files.logs, "flows.log");
    await node.spawn([process.execPath, PROGRAM, String(PORT), ...targets], { logFile });
    const isListening = async () => (await node.exec(["ss", "-Hltn", `sport = :${PORT}`])).stdout !== "";
    // The others connect once.
    await eventually(isListening, { withinMs: 30_000, describe: `${name} listens` });
    logs.set(name, logFile);
  }
  const read = () =>
    [...logs].flatMap(([from, file]) =>
      readFileSync(file, "utf8")
        .split("\n")
        .filter((line) => line.startsWith("{"))
        .map((line) => ({ from, ...(JSON.parse(line) as Told) })),
    );
  const countEchoed = () =>
    new Map(read().flatMap(({ from, to, echoed }) => (echoed ? [[`${from} → ${to}`, echoed]] : [])));
  let taken = 0;
  const flows: Flows = {
    takeProblems() {
      const problems = read().flatMap(({ from, to, problem }) => (problem ? [`${from} → ${to}: ${problem}`] : []));
      const news = problems.slice(taken);
      taken = problems.length;
      return news;
    },
    async untilMoved() {
      const before = countEchoed();
      const pairs = toPairs().map(([from, to]) => `${from} → ${to}`);
      const still = () => {
        const now = countEchoed();
        return pairs.filter((pair) => (now.get(pair) ?? 0) <= (before.get(pair) ?? 0));
      };
      await eventually(() => still().length === 0, { withinMs: MOVES_WITHIN_MS, describe: "every flow moves" }).catch(
        () => {},
      );
      return still().map((pair) => `${pair}: nothing came back for ${MOVES_WITHIN_MS / 1_000} s`);
    },
  };
  const stuck = await flows.untilMoved();
  if (stuck.length > 0) throw new Error(`not every flow began: ${stuck.join("; ")}`);
  return flows;
}
