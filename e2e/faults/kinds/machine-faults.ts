// What happens to machines and their networks.
import { readProcesses } from "../../fleet/tunnels.ts";
import type { LabNode } from "../../lab/node.ts";
import { pick, type Random } from "../random.ts";
import {
  ANNOUNCER,
  BEHIND_EASY_NAT,
  isRelayed,
  MACHINES,
  type MakeFault,
  nobody,
  type Pair,
  SMALL_DISK,
} from "./fault.ts";

const AGAIN_MS = 20_000;
/** As long as everything may take to be well again. */
const LONGEST_GAP_MS = 15_000;
const HOUR_MS = 3_600_000;

/** It stays dead. */
const agentKilled: MakeFault = ({ fleet, up }, random) => {
  const name = pick(random, MACHINES);
  return {
    begin: () => fleet.agent(name).kill(),
    end: () => up(name),
    // The agent itself carries what is relayed.
    mayLose: (pair) => isRelayed(pair) && pair.includes(name),
  };
};

/** Its machine forwards on. */
const birdKilled: MakeFault = ({ fleet }) => {
  const kill = () => killPrograms(fleet.lab.machine(ANNOUNCER), "bird");
  return {
    begin: kill,
    again: { everyMs: AGAIN_MS, run: kill },
    end: async () => {},
    mayLose: nobody,
    // It died twice within 30 s.
    expectedErrors: [/bird_died/],
  };
};

/** Takes the interface along. */
const wireguardKilled: MakeFault = ({ fleet }, random) => {
  const name = pick(random, MACHINES);
  const kill = () => killPrograms(fleet.lab.machine(name), "wireguard-go");
  const again = { everyMs: AGAIN_MS, run: kill };
  return { begin: kill, again, end: async () => {}, mayLose: concerns(name), longestGapMs: LONGEST_GAP_MS };
};

const natReboot: MakeFault = ({ fleet: { lab } }) => {
  const reboot = () => lab.rebootNat("home");
  const again = { everyMs: AGAIN_MS, run: reboot };
  const mayLose = concerns(BEHIND_EASY_NAT);
  return { begin: reboot, again, end: async () => {}, mayLose, longestGapMs: LONGEST_GAP_MS };
};

const loseOf =
  (percent: number): MakeFault =>
  ({ fleet: { lab } }, random) => {
    const name = pick(random, MACHINES);
    return {
      begin: () => lab.setLoss(name, percent),
      end: () => lab.setLoss(name, 0),
      mayLose: concerns(name),
      longestGapMs: LONGEST_GAP_MS,
    };
  };

/** The agent's wall clock alone: WireGuard's is the host's, as everybody's in the lab. */
const clockMoved: MakeFault = ({ moveClock }, random: Random) => {
  const name = pick(random, MACHINES);
  const byMs = pick(random, [-HOUR_MS, HOUR_MS]);
  return { begin: async () => moveClock(name, byMs), end: async () => moveClock(name, 0), mayLose: nobody };
};

const diskFull: MakeFault = ({ fleet }) => {
  const machine = fleet.lab.machine(SMALL_DISK);
  const filler = "/var/lib/becket/filler";
  return {
    begin: async () => {
      await machine.exec(["dd", "if=/dev/zero", `of=${filler}`, "bs=4k"], { allowFailure: true });
    },
    end: async () => {
      await machine.exec(["rm", filler]);
    },
    mayLose: nobody,
    expectedErrors: [/the disk cache failed/],
  };
};

export const MACHINE_FAULTS = {
  agentKilled,
  birdKilled,
  wireguardKilled,
  natReboot,
  loss10: loseOf(10),
  loss30: loseOf(30),
  clockMoved,
  diskFull,
};

const concerns = (name: string) => (pair: Pair) => pair.includes(name);

/** Process ids are the host's. */
async function killPrograms(machine: LabNode, program: string): Promise<void> {
  for (const pid of await readProcesses(machine, program)) process.kill(Number(pid), "SIGKILL");
}
