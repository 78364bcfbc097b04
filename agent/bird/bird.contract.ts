// What the agent relies on BIRD to do. Run on the fake always, on the real one where that is possible.
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { birdConfig, birdMember, prefix, toMachineId } from "../testing/bird-fixture.ts";
import { eventually } from "../testing/eventually.ts";
import { type Bird, type BirdPorts, createBird } from "./bird.ts";
import type { BirdConfig } from "./bird-config.ts";
import { renderConfig } from "./render-config.ts";

export interface BirdsUnderTest {
  readonly ports: BirdPorts;
  /** That commands and `ports.files` both see. */
  readonly folder: string;
  /** As `kill -9` does. */
  kill(name: string): Promise<void>;
}

const NAME = "bkt-prod";
const OTHER = "bkt-other";

export function describeBirds(title: string, open: () => Promise<BirdsUnderTest>, close: () => Promise<void>): void {
  describe(title, () => {
    let birds: BirdsUnderTest;
    const created: Bird[] = [];
    beforeAll(async () => {
      birds = await open();
    });
    afterEach(async () => {
      for (const bird of created.splice(0)) await bird.stop();
    });
    afterAll(close);

    function create(name = NAME): Bird {
      const bird = createBird(birds.ports, { folder: birds.folder, name, kernelMetric: 5_201 });
      created.push(bird);
      return bird;
    }
    const render = (changes: Partial<BirdConfig> = {}) =>
      renderConfig(birdConfig(1, { interfaceName: "eth0", logFile: `${birds.folder}/log`, ...changes }));
    const readPid = () => birds.ports.files.read(`${birds.folder}/${NAME}.pid`);
    const ours = async () => (await birds.ports.files.list(birds.folder)).filter((file) => file.startsWith(`${NAME}.`));
    const names = async (bird: Bird) => (await bird.readProtocols())?.map((protocol) => protocol.name);
    const MEMBER = birdMember(2, { prefixes: [prefix("192.168.50.0/24")] });

    it("starts with a configuration, and says what it has", async () => {
      const bird = create();
      expect(await bird.readStatus()).toBeNull();
      expect(await bird.readProtocols()).toBeNull();
      expect(await bird.readRoutes()).toBeNull();
      expect(await bird.apply(render({ members: [MEMBER] }))).toEqual({ ok: true, value: "started" });
      expect(await bird.readStatus()).toMatchObject({ state: "running", routerId: "10.77.0.1" });
      // BIRD 3 has an order of its own.
      const all = ["device1", "kernel_ipv4", "kernel_ipv6", "links", toMachineId(2)];
      expect((await names(bird))?.sort()).toEqual(all);
      const session = (await bird.readProtocols())?.find(({ name }) => name === toMachineId(2));
      expect(session).toMatchObject({ type: "BGP", state: "start", session: { neighbor: "10.77.0.2" } });
      expect(await bird.readRoutes()).toEqual([]);
    });

    it("leaves alone what is right, and follows changes without starting again", async () => {
      const bird = create();
      await bird.apply(render());
      const pid = await readPid();
      expect(await bird.apply(render())).toEqual({ ok: true, value: "unchanged" });
      const announcement = { id: "lan", prefixes: [prefix("192.168.7.0/24")], state: "withheld" as const };
      const change = render({ members: [MEMBER], announcements: [announcement] });
      expect(await bird.apply(change)).toEqual({ ok: true, value: "reconfigured" });
      expect(await names(bird)).toContain(toMachineId(2));
      const readAnnouncement = async () =>
        (await bird.readProtocols())?.find(({ name }) => name === "announce_lan_ipv4")?.state;
      expect(await readAnnouncement()).toBe("down");
      await bird.apply(render({ members: [MEMBER], announcements: [{ ...announcement, state: "announced" }] }));
      expect(await readAnnouncement()).toBe("up");
      await bird.apply(render());
      expect(await names(bird)).not.toContain(toMachineId(2));
      expect(await readPid()).toBe(pid);
    });

    it("keeps the last good configuration when BIRD refuses one, and says why", async () => {
      const bird = create();
      const good = render({ members: [MEMBER] });
      await bird.apply(good);
      const refused = await bird.apply(`${render()}nonsense;\n`);
      expect(refused).toMatchObject({ ok: false, error: { code: "bird_refused_config" } });
      expect(refused.ok ? "" : refused.error.message).toMatch(/^line \d+:1 syntax error/);
      expect(await names(bird)).toContain(toMachineId(2));
      expect(await birds.ports.files.read(`${birds.folder}/${NAME}.conf`)).toBe(good);
      expect(await bird.apply(good)).toEqual({ ok: true, value: "unchanged" });
    });

    it("starts one that died with what it last took, when it refuses the new", async () => {
      const bird = create();
      await bird.apply(render({ members: [MEMBER] }));
      await birds.kill(NAME);
      expect(await bird.apply("nonsense;\n")).toMatchObject({ ok: false });
      expect(await names(bird)).toContain(toMachineId(2));
    });

    it("takes over one that an agent before it started", async () => {
      const config = render({ members: [MEMBER] });
      const before = create();
      await before.apply(config);
      const pid = await readPid();
      const after = create();
      expect(await after.apply(config)).toEqual({ ok: true, value: "reconfigured" });
      expect(await after.apply(config)).toEqual({ ok: true, value: "unchanged" });
      expect(await readPid()).toBe(pid);
    });

    it("tells when it died, and starts it again", async () => {
      const bird = create();
      expect(await bird.watch(() => undefined)).toBeNull();
      await bird.apply(render());
      let gone = 0;
      await bird.watch(() => gone++);
      const endWatch = await bird.watch(() => gone++);
      endWatch?.();
      await birds.kill(NAME);
      await eventually(() => expect(gone).toBe(1));
      expect(await bird.readStatus()).toBeNull();
      const pid = await readPid();
      expect(await bird.apply(render())).toEqual({ ok: true, value: "restarted" });
      expect(await readPid()).not.toBe(pid);
    });

    it("starts one again that dies while it is being changed, as it is to be", async () => {
      await create().apply(render());
      const exec: BirdPorts["exec"] = {
        ...birds.ports.exec,
        // The last that is done before BIRD is told to read its file.
        async run(command, options) {
          const output = await birds.ports.exec.run(command, options);
          if (command.includes("-p")) await birds.kill(NAME);
          return output;
        },
      };
      const bird = createBird({ ...birds.ports, exec }, { folder: birds.folder, name: NAME, kernelMetric: 5_201 });
      created.push(bird);
      expect(await bird.apply(render({ members: [MEMBER] }))).toEqual({ ok: true, value: "restarted" });
      expect(await names(bird)).toContain(toMachineId(2));
    });

    it.each([
      ["is told to change", "configure"],
      ["is asked what it has then", "show protocols"],
    ])("starts one again that dies while it answers when it %s, as it is to be", async (_, command) => {
      await create().apply(render());
      let killed: Promise<void> | undefined;
      const die = () => {
        killed ??= birds.kill(NAME);
        return false;
      };
      const askSocket: BirdPorts["askSocket"] = async (file, question) => {
        const isToDie = killed === undefined && question.text.startsWith(command);
        try {
          return await birds.ports.askSocket(file, isToDie ? { ...question, end: die } : question);
        } finally {
          await killed;
        }
      };
      const bird = createBird({ ...birds.ports, askSocket }, { folder: birds.folder, name: NAME, kernelMetric: 5_201 });
      created.push(bird);
      expect(await bird.apply(render({ members: [MEMBER] }))).toEqual({ ok: true, value: "restarted" });
      expect(await names(bird)).toContain(toMachineId(2));
    });

    it("leaves nothing behind when it is stopped, also when it had died", async () => {
      const bird = create();
      await bird.apply(render());
      await bird.stop();
      expect(await ours()).toEqual([]);
      await bird.apply(render());
      await birds.kill(NAME);
      await bird.stop();
      expect(await ours()).toEqual([]);
      await bird.stop();
      expect(await bird.apply(render())).toEqual({ ok: true, value: "started" });
    });

    it("keeps to its own", async () => {
      const bird = create();
      const other = create(OTHER);
      await bird.apply(render());
      await other.apply(render({ members: [MEMBER] }));
      await bird.stop();
      expect(await names(other)).toContain(toMachineId(2));
    });
  });
}
