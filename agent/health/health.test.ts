import { describe, expect, it } from "vitest";
import { type AnnouncementId, Duty } from "#schema/desired-state";
import type { MeshId } from "#schema/ids";
import { createExec } from "../system/exec.ts";
import { silentLogger } from "../system/logger.ts";
import type { Probes } from "../system/probes/probes.ts";
import { MESH_A, MESH_B } from "../testing/desired-devices.ts";
import { createFakeClock } from "../testing/fake-clock.ts";
import { createMemoryFiles, type MemoryFiles } from "../testing/memory-files.ts";
import { createHealth, forgetAnnounced } from "./health.ts";

const VIP = "vip_01arz3ndektsv4rrffq69g5fav" as AnnouncementId;
const ROUTE = "rt_01arz3ndektsv4rrffq69g5fav" as AnnouncementId;
const SELF = "10.1.0.1";
const tcp = (changes: object = {}) => ({ type: "tcp", target: ":6443", ...changes });
const dutyOf = (id: AnnouncementId, healthCheck: object | null = null) => Duty.parse({ id, healthCheck });

/** A service that is up at the ports in `up`; those in `stuck` never answer. */
function setUp({
  files = createMemoryFiles(),
  allowsExec = false,
}: {
  files?: MemoryFiles;
  allowsExec?: boolean;
} = {}) {
  const clock = createFakeClock();
  const up = new Set<number>([6443]);
  const stuck = new Set<number>();
  const asked: string[] = [];
  let [running, mostRunning] = [0, 0];
  const changes: MeshId[] = [];
  const looks: (string | null)[] = [];
  const connect: Probes["connect"] = async ({ host, port }, signal) => {
    asked.push(`${host}:${port}`);
    running++;
    mostRunning = Math.max(mostRunning, running);
    try {
      if (stuck.has(port))
        await new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
      if (!up.has(port)) throw new Error("refused");
    } finally {
      running--;
    }
  };
  const unused = () => Promise.reject(new Error("not asked for"));
  const health = createHealth(
    {
      ...{ clock, files, random: () => 0, log: silentLogger, exec: createExec({}) },
      probes: { connect, askHttp: unused, askGrpcHealth: unused },
    },
    {
      runDir: "/run/becket",
      allowsExec,
      onChanged: (meshId) => changes.push(meshId),
      onChecked: () => looks.push(health.list()[0]?.reason ?? null),
    },
  );
  const set = (...duties: Duty[]) => health.setDuties(MESH_A, duties, SELF);
  const isAnnounced = (id: AnnouncementId = VIP) => health.isAnnounced(MESH_A, id);
  return { clock, up, stuck, asked, changes, looks, health, files, set, isAnnounced, mostRunning: () => mostRunning };
}

describe("health", () => {
  it("announces what has no check at once", () => {
    const { set, isAnnounced, changes } = setUp();
    set(dutyOf(ROUTE));
    expect(isAnnounced(ROUTE)).toBe(true);
    expect(isAnnounced(VIP)).toBe(false);
    expect(changes).toEqual([MESH_A]);
  });

  it("says that a check has news when it has, and not by each check that says the same", async () => {
    const { clock, up, set, looks, asked } = setUp();
    set(dutyOf(VIP, tcp()));
    await clock.advance(600_000);
    expect(asked.length).toBeGreaterThan(50);
    expect(looks).toEqual(["it was not checked yet", "passed 1 of 2 times", null]);
    up.clear();
    await clock.advance(5_000);
    expect(looks.slice(3)).toEqual([]);
    await clock.advance(10_000);
    expect(looks.slice(3)).toEqual(["failed 3 times in a row: refused"]);
  });

  it("announces a service that passed often enough, and withdraws one that failed often enough", async () => {
    const { clock, up, set, isAnnounced, changes, asked } = setUp();
    set(dutyOf(VIP, tcp()));
    await clock.advance(4_999);
    expect(isAnnounced()).toBe(false);
    await clock.advance(1);
    expect(isAnnounced()).toBe(true);
    expect(asked).toEqual(["10.1.0.1:6443", "10.1.0.1:6443"]);

    up.clear();
    await clock.advance(14_999);
    expect(isAnnounced()).toBe(true);
    await clock.advance(1);
    expect(isAnnounced()).toBe(false);
    expect(changes).toEqual([MESH_A, MESH_A]);
  });

  it("holds off the first check as long as it is told", async () => {
    const { clock, set, asked } = setUp();
    set(dutyOf(VIP, tcp({ holdoffSeconds: 60 })));
    await clock.advance(59_999);
    expect(asked).toEqual([]);
    await clock.advance(1);
    expect(asked).toHaveLength(1);
  });

  it("takes what does not answer in time for failed, and asks anew only then", async () => {
    const { clock, stuck, set, health, asked } = setUp();
    stuck.add(6443);
    set(dutyOf(VIP, tcp({ intervalSeconds: 3 })));
    await clock.advance(2_999);
    expect(asked).toHaveLength(1);
    await clock.advance(1);
    expect(health.list()).toMatchObject([{ failures: 1, reason: "failed 1 time in a row: no answer within 3 s" }]);
    expect(asked).toHaveLength(2);
  });

  it("runs few checks at once, and each of them all the same", async () => {
    const { clock, stuck, set, health, mostRunning } = setUp();
    const ids = Array.from({ length: 80 }, (_, index) => `rt_${String(index).padStart(26, "0")}` as AnnouncementId);
    stuck.add(6443);
    set(...ids.map((id) => dutyOf(id, tcp({ intervalSeconds: 60 }))));
    await clock.advance(9_000);
    expect(mostRunning()).toBe(32);
    expect(health.list().map(({ failures }) => failures)).toEqual(ids.map(() => 1));
  });

  it("lets what did not change alone when it is told its duties anew", async () => {
    const { clock, set, isAnnounced, asked, changes } = setUp();
    set(dutyOf(VIP, tcp()), dutyOf(ROUTE, tcp({ target: ":22" })));
    await clock.advance(5_000);
    set(dutyOf(VIP, tcp()));
    expect(isAnnounced()).toBe(true);
    expect(changes).toEqual([MESH_A]);

    asked.length = 0;
    await clock.advance(5_000);
    expect(asked).toEqual(["10.1.0.1:6443"]);
  });

  it("doesn't take a service away because its check is another one, until that has failed", async () => {
    const { clock, set, isAnnounced } = setUp();
    set(dutyOf(VIP, tcp()));
    await clock.advance(5_000);
    set(dutyOf(VIP, tcp({ target: ":22" })));
    await clock.advance(9_999);
    expect(isAnnounced()).toBe(true);
    await clock.advance(1);
    expect(isAnnounced()).toBe(false);
  });

  it("forgets what is no duty any more", async () => {
    const { clock, set, isAnnounced, changes, asked } = setUp();
    set(dutyOf(VIP, tcp()));
    await clock.advance(5_000);
    set();
    expect(isAnnounced()).toBe(false);
    expect(changes).toEqual([MESH_A, MESH_A]);
    asked.length = 0;
    await clock.advance(60_000);
    expect(asked).toEqual([]);
    set(dutyOf(VIP, tcp()));
    expect(isAnnounced()).toBe(false);
  });

  it("tells of each duty what a person wants to know", async () => {
    const { clock, set, health } = setUp();
    set(dutyOf(VIP, tcp()));
    await clock.advance(5_000);
    expect(health.list()).toMatchObject([
      {
        ...{ meshId: MESH_A, id: VIP, status: "healthy", successes: 2, failures: 0, reason: null },
        check: { type: "tcp", target: ":6443" },
        sinceMs: clock.now(),
        results: [{ isSuccess: true, text: "10.1.0.1 port 6443 accepts connections", durationMs: 0 }, {}],
      },
    ]);
  });

  it("asks nothing after it was stopped", async () => {
    const { clock, set, health, asked } = setUp();
    set(dutyOf(VIP, tcp()));
    health.stop();
    await clock.advance(60_000);
    expect(asked).toEqual([]);
    expect(clock.pending()).toBe(0);
  });
});

describe("a restarted agent", () => {
  async function restart(before: ReturnType<typeof setUp>) {
    await before.clock.advance(0);
    before.health.stop();
    const after = setUp({ files: before.files });
    await after.health.load();
    return after;
  }

  it("goes on announcing what was healthy, and withdraws it when it is not any more", async () => {
    const before = setUp();
    before.set(dutyOf(VIP, tcp()), dutyOf(ROUTE, tcp({ target: ":22" })));
    await before.clock.advance(5_000);

    const { clock, up, set, isAnnounced } = await restart(before);
    up.clear();
    set(dutyOf(VIP, tcp({ holdoffSeconds: 600 })), dutyOf(ROUTE, tcp({ target: ":22" })));
    expect([isAnnounced(VIP), isAnnounced(ROUTE)]).toEqual([true, false]);

    await clock.advance(10_000);
    expect(isAnnounced(VIP)).toBe(false);
  });

  it("remembers a mesh that it has not heard of yet over the next restart, too", async () => {
    const before = setUp();
    before.set(dutyOf(VIP, tcp()));
    await before.clock.advance(5_000);
    const between = await restart(before);
    between.health.setDuties(MESH_B, [dutyOf(ROUTE)], SELF);

    const after = await restart(between);
    after.set(dutyOf(VIP, tcp()));
    expect(after.isAnnounced()).toBe(true);
  });

  it("takes nothing for healthy once it was withdrawn, or when everything was taken down", async () => {
    const before = setUp();
    before.set(dutyOf(VIP, tcp()), dutyOf(ROUTE));
    await before.clock.advance(5_000);
    before.up.clear();
    await before.clock.advance(15_000);
    const after = await restart(before);
    after.set(dutyOf(VIP, tcp()));
    expect(after.isAnnounced()).toBe(false);

    const again = await restart(before);
    await forgetAnnounced(again.files, "/run/becket");
    expect([...again.files.content.keys()]).toEqual([]);
  });

  it("checks everything when what it kept is damaged", async () => {
    const files = createMemoryFiles({ "/run/becket/announced.json": "{" });
    const { health, set, isAnnounced } = setUp({ files });
    await health.load();
    set(dutyOf(VIP, tcp()));
    expect(isAnnounced()).toBe(false);
  });
});

describe("an exec check", () => {
  const exec = { type: "exec", target: ["/bin/true"] };

  it("does not run unless this machine's own configuration allows it; the state says how to", async () => {
    const { clock, set, health, isAnnounced } = setUp();
    set(dutyOf(VIP, exec));
    await clock.advance(60_000);
    expect(isAnnounced()).toBe(false);
    expect(health.list()).toMatchObject([
      { status: "unhealthy", results: [], reason: expect.stringContaining("BECKET_ALLOW_EXEC_CHECKS=1") },
    ]);
  });

  it("is not taken for healthy from before, when it is not allowed any more", async () => {
    const before = setUp();
    before.set(dutyOf(VIP));
    await before.clock.advance(0);
    const after = setUp({ files: before.files });
    await after.health.load();
    after.set(dutyOf(VIP, exec));
    expect(after.isAnnounced()).toBe(false);
  });
});
