// bench bgp: what BGP between many members costs, each with a real BIRD and the product's own configuration. No WireGuard: only BGP is measured.
import { spawnSync } from "node:child_process";
import { parseArgs } from "node:util";
import { whyNoNamespaces } from "../agent/testing/namespace.ts";
import { LimitReached, type MeshNumbers, measureMesh } from "./bgp/measure-mesh.ts";
import type { Mesh } from "./bgp/mesh-of-birds.ts";
import { measureFork } from "./bgp/reference.ts";
import { toSteps } from "./bgp/steps.ts";

export const summary =
  "bgp        BIRDs in a full mesh, and with two reflectors (--members 250 --limit 120 --seconds 10); needs root";

const REFLECTORS = 2;
/** Of the whole bench; a mesh takes a minute more than its cold start. */
const WITHIN_MS = 9 * 60_000;
const REST_MS = 60_000;

export async function run(argv: string[]): Promise<Record<string, unknown>> {
  const { values } = parseArgs({
    args: argv,
    options: {
      members: { type: "string", default: "250" },
      limit: { type: "string", default: "120" },
      seconds: { type: "string", default: "10" },
    },
  });
  const why = spawnSync("bird", ["--version"]).status === 0 ? whyNoNamespaces() : "bird is not installed";
  if (why !== null) throw new Error(`bench bgp can't run here: ${why}`);
  const members = Number(values.members);
  const idleSeconds = Number(values.seconds);
  const endMs = performance.now() + WITHIN_MS;
  const measure = async (mesh: Mesh): Promise<MeshNumbers> => {
    process.stderr.write(`${mesh.members} BIRDs, ${mesh.reflectors === 0 ? "full mesh" : "reflectors"}\n`);
    const leftMs = endMs - REST_MS - performance.now();
    if (leftMs < REST_MS) throw new LimitReached(`the whole bench ends after ${WITHIN_MS / 60_000} minutes`);
    return await measureMesh(mesh, { convergeWithinMs: Math.min(Number(values.limit) * 1_000, leftMs), idleSeconds });
  };
  const forkMs = await measureFork();
  const twoBirds = await measure({ members: 2, reflectors: 0 });
  const { numbers: reflectors, reason: reflectorsEndedAt } = await attempt(measure, {
    members,
    reflectors: REFLECTORS,
  });
  const { steps, endedAt } = await climb(members, measure);
  const reference = { forkMs, twoBirds };
  return {
    ...{
      bench: "bgp",
      members,
      fullMesh: steps.findLast(({ restartedAtRest }) => restartedAtRest === 0) ?? null,
      endedAt,
      reflectors,
      reflectorsEndedAt,
      steps,
      reference,
    },
  };
}

type Measure = (mesh: Mesh) => Promise<MeshNumbers>;

/** Null numbers: this machine does not carry it, and the reason says why. */
async function attempt(measure: Measure, mesh: Mesh): Promise<{ numbers: MeshNumbers | null; reason: string | null }> {
  try {
    return { numbers: await measure(mesh), reason: null };
  } catch (error) {
    if (!(error instanceof LimitReached)) throw error;
    process.stderr.write(`  ended: ${error.message}\n`);
    return { numbers: null, reason: error.message };
  }
}

/** Larger and larger full meshes, until this machine carries no more: also one whose sessions do not stay up. */
async function climb(members: number, measure: Measure) {
  const steps: MeshNumbers[] = [];
  for (const size of toSteps(members)) {
    const { numbers, reason } = await attempt(measure, { members: size, reflectors: 0 });
    if (numbers === null) return { steps, endedAt: { members: size, reason } };
    steps.push(numbers);
    const { restartedAtRest } = numbers;
    if (restartedAtRest > 0) {
      return { steps, endedAt: { members: size, reason: `at rest ${restartedAtRest} ends of sessions came up again` } };
    }
  }
  return { steps, endedAt: null };
}
