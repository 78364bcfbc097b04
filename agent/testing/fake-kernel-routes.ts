// `ip route` and `ip monitor route`, as far as the agent and BIRD use them.
import type { Argv } from "../system/exec.ts";
import type { FollowListener } from "../system/follow-program.ts";
import type { FakeKernelState, FakeRoute, Reply } from "./fake-kernel-state.ts";

const MONITOR = "ip -N -oneline -details monitor route";
const SHOW = /^ip -N (-4|-6) -json route show table (\S+) proto (\S+)$/;
const CHANGE =
  /^ip (-4|-6) route (replace|append|delete) (\S+) (?:via (\S+) )?dev (\S+) proto (\S+) metric (\d+)(?: table (\S+))?$/;

export function followRoutes(kernel: FakeKernelState, argv: Argv, listener: FollowListener): () => void {
  if (argv.join(" ") !== MONITOR) throw new Error(`the fake kernel can't follow ${argv.join(" ")}`);
  const monitor = {
    print: listener.onLine,
    complain: listener.onComplaint,
    end(reason: string) {
      kernel.monitors.delete(monitor);
      listener.onEnd(reason);
    },
  };
  kernel.monitors.add(monitor);
  return () => kernel.monitors.delete(monitor);
}

export function runRoute(kernel: FakeKernelState, argv: Argv): Reply {
  const command = argv.join(" ");
  const [, family, table, protocol] = SHOW.exec(command) ?? [];
  if (family !== undefined) {
    const shown = kernel.programRoutes.filter(
      (route) => route.family === family && route.table === table && route.protocol === protocol,
    );
    return { stdout: shown.length === 0 ? "[ ]\n" : `${JSON.stringify(shown.map(toJson))}\n` };
  }
  const [, of, how, prefix = "", nextHop, device = "", by = "", metric, to = "254"] = CHANGE.exec(command) ?? [];
  if (of === undefined) throw new Error(`the fake kernel does not know ${command}`);
  const route: FakeRoute = {
    ...{ family: of as FakeRoute["family"], prefix, device, protocol: by, metric: Number(metric), table: to },
    nextHops: nextHop === undefined ? [] : [nextHop],
  };
  return how === "delete" ? remove(kernel, route) : set(kernel, route, how === "append");
}

const isInPlaceOf = (route: FakeRoute) => (other: FakeRoute) =>
  route.family === other.family &&
  route.prefix === other.prefix &&
  route.metric === other.metric &&
  route.table === other.table;

function set({ programRoutes, monitors }: FakeKernelState, route: FakeRoute, isMore: boolean): Reply {
  const index = programRoutes.findIndex(isInPlaceOf(route));
  const before = programRoutes[index];
  const after = isMore && before ? { ...before, nextHops: [...before.nextHops, ...route.nextHops] } : route;
  programRoutes.splice(index < 0 ? programRoutes.length : index, index < 0 ? 0 : 1, after);
  for (const { print } of monitors) print(toLine(after));
  return { stdout: "" };
}

function remove({ programRoutes, monitors }: FakeKernelState, route: FakeRoute): Reply {
  const index = programRoutes.findIndex(isInPlaceOf(route));
  const before = programRoutes[index];
  if (!before?.nextHops.includes(route.nextHops[0] ?? "")) return { stderr: "RTNETLINK answers: No such process" };
  const left = before.nextHops.filter((nextHop) => !route.nextHops.includes(nextHop));
  programRoutes.splice(index, 1, ...(left.length === 0 ? [] : [{ ...before, nextHops: left }]));
  for (const { print } of monitors) print(`Deleted ${toLine(route)}`);
  return { stdout: "" };
}

const toDestination = (prefix: string): string =>
  prefix === "0.0.0.0/0" || prefix === "::/0" ? "default" : prefix.replace(/\/(32|128)$/, "");

function toJson({ family, prefix, nextHops, device, metric }: FakeRoute): object {
  const [gateway, ...more] = nextHops;
  return {
    dst: toDestination(prefix),
    ...(more.length > 0
      ? { nexthops: nextHops.map((one) => ({ gateway: one, dev: device, weight: 1, flags: [] })) }
      : { gateway, dev: device }),
    metric,
    flags: [],
    ...(family === "-6" ? { pref: "medium" } : {}),
  };
}

function toLine({ family, prefix, nextHops, device, metric, protocol, table }: FakeRoute): string {
  const isSeveral = nextHops.length > 1;
  return [
    `1 ${toDestination(prefix)} `,
    ...(isSeveral ? [] : [`via ${nextHops[0]} dev ${device} `]),
    `table ${table} proto ${protocol} scope 0 metric ${metric} `,
    ...(family === "-6" ? ["pref medium"] : []),
    ...(isSeveral ? nextHops.map((nextHop) => `\\\tnexthop via ${nextHop} dev ${device} weight 1 `) : []),
  ].join("");
}
