// The order of test files: those that take minutes begin first, so that none of them is left over at the end, alone on one core. A fresh clone
// knows no durations, and vitest goes by the size of files then.
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** The longest first. */
const LONG = [
  "e2e/scenarios/nat-grid.test.ts",
  "e2e/scenarios/networks-change.test.ts",
  "e2e/scenarios/sleeps.test.ts",
  "e2e/scenarios/installer.test.ts",
  "e2e/scenarios/control-plane-dies.test.ts",
  "e2e/scenarios/dashboard.test.ts",
  "e2e/scenarios/machines-follow-changes.test.ts",
  "e2e/scenarios/dashboard-lab.test.ts",
  "embedded/control-plane.test.ts",
  "embedded/sign-in.test.ts",
  "embedded/listening.test.ts",
  "agent/bird/sessions.test.ts",
];

export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const others = LONG.length;
    const rank = ({ moduleId }: TestSpecification) => {
      const index = LONG.findIndex((file) => moduleId.endsWith(`/${file}`));
      return index === -1 ? others : index;
    };
    return (await super.sort(files)).toSorted((one, other) => rank(one) - rank(other));
  }
}
