import { QueryClient, QueryObserver } from "@tanstack/react-query";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { listMachineEndpoints } from "#schema/api/machine-links";
import { getMachine, listMachines } from "#schema/api/machines";
import { listMembers } from "#schema/api/members";
import { getMe } from "#schema/api/sign-in";
import { listUsers } from "#schema/api/users";
import { LIVE_CLOSE_CODES } from "#schema/live/close-codes";
import { startTimer } from "../../browser/start-timer.ts";
import {
  createEndpoint,
  createFakeSockets,
  createFrame,
  MACHINE,
  MESH,
  OTHER_MESH,
} from "../../testing/fake-socket.ts";
import { createLive, MAX_SOCKETS } from "./create-live.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const MEMBERS = [listMembers.id, "list", { params: { meshId: MESH } }];
const MACHINES = [listMachines.id, "list", {}];
const ENDPOINTS = [listMachineEndpoints.id, "reply", { params: { machineId: MACHINE } }];

function createScene({ canConnect = true } = {}) {
  const { sockets, openSocket, listOpen } = createFakeSockets();
  const queries = new QueryClient();
  const page = { isHidden: false, turned: () => {} };
  const live = createLive({
    ...{ queries, openSocket, startTimer, now: () => Date.now(), random: () => 1 },
    isHidden: () => page.isHidden,
    onVisibilityChange: (listener) => Object.assign(page, { turned: listener }),
    canConnect: () => canConnect,
  });
  const asked: string[] = [];
  return {
    ...{ live, queries, sockets, listOpen, asked },
    pass: (ms: number) => vi.advanceTimersByTimeAsync(ms),
    /** A page that shows the answer. */
    show(queryKey: readonly unknown[], answer: unknown = []) {
      const queryFn = async () => {
        asked.push(String(queryKey[0]));
        return answer;
      };
      return new QueryObserver(queries, { queryKey, queryFn }).subscribe(() => {});
    },
    hide(isHidden: boolean) {
      page.isHidden = isHidden;
      page.turned();
    },
  };
}

describe("while a page is about a mesh", () => {
  it("a hint has asked again for what it makes old, and for nothing else", async () => {
    const { live, sockets, asked, show, pass } = createScene();
    live.use({ meshIds: [MESH], isAll: true });
    expect(sockets.map(({ path }) => path)).toEqual([`/api/v1/meshes/${MESH}/live`]);
    sockets[0]?.welcome();
    show(MEMBERS);
    show(MACHINES);
    show([listUsers.id, "list", {}]);
    await pass(5_000);
    asked.length = 0;
    sockets[0]?.change(["members", [MACHINE]]);
    await pass(100);
    expect(asked).toEqual([listMembers.id]);
  });

  it("a new connection has everything of the mesh asked again, as what happened before it was not told", async () => {
    const { live, sockets, asked, show, pass } = createScene();
    live.use({ meshIds: [MESH], isAll: true });
    show(MEMBERS);
    show(MACHINES);
    show([listMembers.id, "list", { params: { meshId: OTHER_MESH } }]);
    await pass(5_000);
    asked.length = 0;
    sockets[0]?.welcome();
    await pass(100);
    expect(asked).toEqual([listMembers.id, listMachines.id]);
  });

  it("what no page shows is old when a page shows it", async () => {
    const { live, sockets, queries, show, pass } = createScene();
    live.use({ meshIds: [MESH] });
    sockets[0]?.welcome();
    show(MEMBERS)();
    await pass(0);
    sockets[0]?.change(["members"]);
    await pass(5_000);
    expect(queries.getQueryState(MEMBERS)).toMatchObject({ isInvalidated: true, dataUpdateCount: 1 });
  });

  it("a machine that went is asked for once more when it is offline", async () => {
    const { live, sockets, asked, show, pass } = createScene();
    live.use({ meshIds: [MESH], isAll: true });
    sockets[0]?.welcome();
    show(MACHINES);
    await pass(5_000);
    asked.length = 0;
    sockets[0]?.change(["presence", [MACHINE]]);
    await pass(60_000);
    expect(asked).toHaveLength(1);
    await pass(10_000);
    expect(asked).toHaveLength(2);
  });
});

it("who one is and what that allows is asked again when the other end closes a socket", async () => {
  const { live, sockets, asked, show, pass } = createScene();
  live.use({ meshIds: [MESH] });
  sockets[0]?.welcome();
  show([getMe.id]);
  await pass(5_000);
  asked.length = 0;
  sockets[0]?.close(LIVE_CLOSE_CODES.renew);
  await pass(100);
  expect(asked).toEqual([getMe.id]);
});

describe("pages ask", () => {
  it("seldom while they are told, and as often as before while they are not", async () => {
    const { live, sockets, pass } = createScene();
    live.use({ meshIds: [MESH, OTHER_MESH], isAll: true });
    const plans = () => [MEMBERS, MACHINES, [listUsers.id, "list", {}]].map((key) => live.planEvery(key, 5_000));
    expect([plans(), live.state()]).toEqual([[5_000, 5_000, 5_000], "connecting"]);
    sockets[0]?.welcome();
    expect([plans(), live.state()]).toEqual([[30_000, 5_000, 5_000], "connecting"]);
    sockets[1]?.welcome();
    expect([plans(), live.state()]).toEqual([[30_000, 15_000, 5_000], "live"]);
    sockets[0]?.close(1006);
    expect(plans()).toEqual([5_000, 5_000, 5_000]);
    await pass(1_000);
    sockets[2]?.close(1006);
    expect([live.state(), live.isAwaited(MEMBERS), live.isAwaited(MACHINES)]).toEqual(["asking", false, false]);
  });

  it("of themselves where a WebSocket can't have their token, and where there are too many meshes", () => {
    const { live, sockets } = createScene({ canConnect: false });
    live.use({ meshIds: [MESH] });
    const many = createScene();
    many.live.use({ meshIds: Array.from({ length: MAX_SOCKETS + 1 }, (_, index) => `msh_${index}`), isAll: true });
    expect([sockets, live.state(), many.sockets, many.live.state()]).toEqual([[], "asking", [], "asking"]);
    // A page about one of the many is told about that one.
    many.live.use({ meshIds: ["msh_3"] });
    expect(many.sockets.map(({ path }) => path)).toEqual(["/api/v1/meshes/msh_3/live"]);
  });
});

describe("sockets", () => {
  it("are shared by pages, and end a moment after the last one", async () => {
    const { live, listOpen, pass } = createScene();
    const [leaveOne, leaveOther] = [live.use({ meshIds: [MESH] }), live.use({ meshIds: [MESH, OTHER_MESH] })];
    for (const socket of listOpen()) socket.welcome();
    expect(listOpen()).toHaveLength(2);
    leaveOther();
    live.use({ meshIds: [OTHER_MESH] });
    await pass(10_000);
    expect(listOpen()).toHaveLength(2);
    leaveOne();
    await pass(10_000);
    expect(listOpen().map(({ path }) => path)).toEqual([`/api/v1/meshes/${OTHER_MESH}/live`]);
  });

  it("are closed in a hidden tab; who comes back is shown what is, whether a connection comes about or not", async () => {
    const { live, sockets, listOpen, asked, show, hide, pass } = createScene();
    live.use({ meshIds: [MESH] });
    sockets[0]?.welcome();
    show(MEMBERS);
    await pass(5_000);
    hide(true);
    await pass(600_000);
    expect([sockets.length, listOpen().length]).toEqual([1, 0]);
    for (const comeBack of [() => sockets.at(-1)?.welcome(), () => sockets.at(-1)?.close(1006)]) {
      hide(true);
      asked.length = 0;
      hide(false);
      expect(live.isAwaited(MEMBERS)).toBe(true);
      comeBack();
      await pass(900);
      expect(asked).toEqual([listMembers.id]);
    }
  });
});

describe("telemetry", () => {
  it("takes the place of answers while it flows, and pages ask again when it stops", async () => {
    const { live, sockets, queries, show, pass } = createScene();
    live.use({ meshIds: [MESH], machineId: MACHINE });
    const leave = live.watch(MACHINE, []);
    sockets[0]?.welcome();
    expect(sockets[0]?.watches.at(-1)?.machines).toEqual([{ machineId: MACHINE, explain: [] }]);
    show(ENDPOINTS, { items: [createEndpoint(MESH, "192.0.2.1:1")] });
    await pass(5_000);
    expect(live.planEvery(ENDPOINTS, 2_000)).toBe(2_000);
    sockets[0]?.tell(createFrame());
    expect(queries.getQueryData(ENDPOINTS)).toEqual({ items: [createEndpoint(MESH)] });
    expect(live.planEvery(ENDPOINTS, 2_000)).toBe(60_000);
    const before = live.turns();
    await pass(5_000);
    expect([live.planEvery(ENDPOINTS, 2_000), live.turns() > before]).toEqual([2_000, true]);
    leave();
    await pass(5_000);
    expect(sockets[0]?.watches.at(-1)?.machines).toEqual([]);
  });

  it("makes no answer of its own, as it is of one mesh only", () => {
    const { live, sockets, queries } = createScene();
    live.use({ meshIds: [MESH], machineId: MACHINE });
    sockets[0]?.welcome();
    sockets[0]?.tell(createFrame());
    expect(queries.getQueryData(ENDPOINTS)).toBeUndefined();
    expect(live.planEvery([getMachine.id, "reply", { params: { machineId: MACHINE } }], 5_000)).toBe(30_000);
  });
});
