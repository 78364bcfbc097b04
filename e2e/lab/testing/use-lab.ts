// A lab for the tests of one file (or one `describe`): made before them, taken down after them, explained when one fails.
import { afterAll, beforeAll, beforeEach } from "vitest";
import { createLab, type Lab } from "../lab.ts";
import type { TopologyInput } from "../plan/topology.ts";

export function useLab(topology: TopologyInput): () => Lab {
  let lab: Lab | null = null;
  const get = () => {
    if (!lab) throw new Error("the lab is there only inside tests");
    return lab;
  };
  beforeAll(async () => {
    lab = await createLab({ topology });
  });
  beforeEach(({ onTestFailed }) => {
    onTestFailed(async () => void process.stderr.write(`${await get().diagnostics()}\n`));
  });
  afterAll(() => lab?.down());
  return get;
}
