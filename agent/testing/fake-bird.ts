// BIRDs that are none: the program `bird` as far as the agent runs it, and the control socket of each that it started. It reads of a configuration
// what the agent reads back: protocols, neighbours, what is disabled. It routes nothing; tests say what its sessions bring.
import { readFile, rm, writeFile } from "node:fs/promises";
import net from "node:net";
import type { Clock } from "../system/clock.ts";
import { type Argv, CommandError, type Exec } from "../system/exec.ts";

export interface FakeBirds {
  readonly exec: Exec;
  /** Every argv that was run. */
  readonly runs: string[];
  /** As `kill -9` does: its files stay. */
  kill(socketFile: string): Promise<void>;
  /** Its sessions are Down, as without an address to bind to, until it is told to read its file again. */
  unbind(socketFile: string): void;
  /** The session is Established from now on, and brought these. */
  establish(socketFile: string, protocol: string, routes?: readonly FakeRoute[]): void;
  close(): Promise<void>;
}

export interface FakeRoute {
  readonly prefix: string;
  readonly nextHop: string;
  readonly isFiltered?: boolean;
}

interface Process {
  readonly server: net.Server;
  readonly sockets: Set<net.Socket>;
  readonly files: { readonly config: string; readonly socket: string; readonly pid: string };
  readonly startedAtMs: number;
  configuredAtMs: number;
  isUnbound: boolean;
  protocols: Protocol[];
  readonly established: Map<string, readonly FakeRoute[]>;
}

interface Protocol {
  readonly name: string;
  readonly type: string;
  readonly isDisabled: boolean;
  readonly neighbor: string | null;
}

const TYPES: Readonly<Record<string, string>> = {
  bgp: "BGP",
  device: "Device",
  direct: "Direct",
  kernel: "Kernel",
  static: "Static",
};

export function createFakeBirds(clock: Clock): FakeBirds {
  const processes = new Map<string, Process>();
  const runs: string[] = [];
  let lastPid = 0;

  async function run(argv: Argv) {
    runs.push(argv.join(" "));
    const output = { stdout: "", stderr: "" };
    if (argv[0] === "ip" && argv.includes("flush")) return output;
    if (argv[0] !== "bird") throw fail(argv, "no such program here");
    const option = (name: string) => argv[argv.indexOf(name) + 1] ?? "";
    const config = option("-c");
    const files = { config, socket: option("-s"), pid: option("-P") };
    if (!argv.includes("-p") && processes.has(files.socket)) throw fail(argv, "bird: I found another BIRD running.");
    const text = await readFile(config, "utf8");
    const problem = findProblem(text);
    if (problem !== null) throw fail(argv, `bird: ${config}:${problem}`);
    if (!argv.includes("-p")) await start(files, text);
    return output;
  }

  async function start(files: Process["files"], text: string): Promise<void> {
    await rm(files.socket, { force: true });
    const sockets = new Set<net.Socket>();
    const server = net.createServer((socket) => {
      sockets.add(socket);
      socket.on("error", () => undefined);
      socket.on("close", () => sockets.delete(socket));
      socket.write("0001 BIRD 2.0.12 ready.\n");
      socket.on("data", (data) => void answer(files.socket, String(data).trim(), socket));
    });
    await new Promise<void>((resolve) => server.listen(files.socket, resolve));
    const now = clock.now();
    const process = {
      server,
      sockets,
      files,
      startedAtMs: now,
      configuredAtMs: now,
      isUnbound: false,
      established: new Map(),
    };
    processes.set(files.socket, { ...process, protocols: parseConfig(text) });
    await writeFile(files.pid, `${++lastPid}\n`);
  }

  async function answer(socketFile: string, command: string, socket: net.Socket): Promise<void> {
    const process = processes.get(socketFile);
    if (process === undefined) return;
    socket.write(command === "configure" ? await configure(process) : renderAnswer(process, command));
    if (command === "down") await end(process);
  }

  async function configure(process: Process): Promise<string> {
    const { config } = process.files;
    const text = await readFile(config, "utf8");
    const problem = findProblem(text);
    if (problem !== null) return `0002-Reading configuration from ${config}\n8002 ${config}:${problem}\n`;
    process.protocols = parseConfig(text);
    process.configuredAtMs = clock.now();
    process.isUnbound = false;
    return `0002-Reading configuration from ${config}\n0003 Reconfigured\n`;
  }

  async function close({ server, sockets, files }: Process): Promise<void> {
    processes.delete(files.socket);
    for (const socket of sockets) socket.destroySoon();
    await new Promise((resolve) => server.close(resolve));
  }

  async function end(process: Process): Promise<void> {
    await close(process);
    await rm(process.files.pid, { force: true });
  }

  return {
    exec: { run },
    runs,
    async kill(socketFile) {
      const process = processes.get(socketFile);
      if (process === undefined) return;
      await close(process);
      // Node removes what the system would leave: a name that nobody listens to.
      await writeFile(socketFile, "");
    },
    unbind(socketFile) {
      const process = processes.get(socketFile);
      if (process !== undefined) process.isUnbound = true;
    },
    establish(socketFile, protocol, routes = []) {
      processes.get(socketFile)?.established.set(protocol, routes);
    },
    async close() {
      for (const process of processes.values()) await end(process);
    },
  };
}

function fail(argv: Argv, stderr: string): CommandError {
  return new CommandError({ argv, exitCode: 1, signal: null, stderr, timedOut: false, reason: "exited with 1" });
}

/** Null: BIRD would take it. */
function findProblem(text: string): string | null {
  const lines = text.split("\n");
  const wrong = lines.findIndex((line) => line.startsWith("nonsense"));
  if (wrong >= 0) return `${wrong + 1}:1 syntax error, unexpected CF_SYM_UNDEFINED`;
  return text.includes("protocol ") ? null : "1:1 No protocol is specified in the config file";
}

function parseConfig(text: string): Protocol[] {
  return text.split(/^(?=protocol )/m).flatMap((block) => {
    const [, type = "", name = ""] = /^protocol (\w+) (\w+)/.exec(block) ?? [];
    if (name === "") return [];
    const neighbor = /^\s*neighbor (\S+)/m.exec(block)?.[1] ?? null;
    return [{ name, type: TYPES[type] ?? type, isDisabled: /^\s*disabled;/m.test(block), neighbor }];
  });
}

function renderAnswer(process: Process, command: string): string {
  switch (command) {
    case "show status":
      return [
        "1000-BIRD 2.0.12",
        "1011-Router ID is 10.77.0.1",
        ` Last reboot on ${renderTime(process.startedAtMs)}`,
        ` Last reconfiguration on ${renderTime(process.configuredAtMs)}`,
        "0013 Daemon is up and running\n",
      ].join("\n");
    case "show protocols all":
      return `2002-Name       Proto      Table      State  Since         Info\n${process.protocols
        .map((protocol) => renderProtocol(process, protocol))
        .join("")}0000 \n`;
    case "show route all":
      return renderRoutes(process, false);
    case "show route all filtered":
      return renderRoutes(process, true);
    case "down":
      return "0007 Shutdown requested\n";
    default:
      return "9001 syntax error, unexpected CF_SYM_UNDEFINED\n";
  }
}

function renderProtocol(process: Process, { name, type, isDisabled, neighbor }: Protocol): string {
  const routes = process.established.get(name);
  const isUp = type === "BGP" ? routes !== undefined && !process.isUnbound : !isDisabled;
  const state = isDisabled || (type === "BGP" && process.isUnbound) ? "down" : isUp ? "up" : "start";
  const head = `1002-${name} ${type}        ---        ${state}     ${renderTime(process.startedAtMs)}\n`;
  if (type !== "BGP") return `${head}1006-\n`;
  const count = (isFiltered: boolean) => routes?.filter((route) => (route.isFiltered ?? false) === isFiltered).length;
  return [
    `${head}1006-  BGP state:          ${isUp ? "Established" : process.isUnbound ? "Down" : "Active"}`,
    `     Neighbor address: ${neighbor}`,
    ...(isUp ? [] : ["     Last error:       Socket: No route to host"]),
    "   Channel ipv4",
    `     State:          ${isUp ? "UP" : "DOWN"}`,
    ...(isUp
      ? [`     Routes:         ${count(false)} imported, ${count(true)} filtered, 0 exported, 0 preferred`]
      : []),
    " \n",
  ].join("\n");
}

function renderRoutes(process: Process, areFiltered: boolean): string {
  const lines = [...process.established].flatMap(([protocol, routes]) =>
    routes
      .filter(({ isFiltered = false }) => isFiltered === areFiltered)
      .flatMap(({ prefix, nextHop }) => [
        `1007-${prefix} unicast [${protocol} ${renderTime(process.startedAtMs)}] * (100) [i]`,
        ` \tvia ${nextHop} on bkt-prod`,
        "1008-\tType: BGP univ",
        "1012-\tBGP.origin: IGP",
        " \tBGP.as_path: ",
        ` \tBGP.next_hop: ${nextHop}`,
        " \tBGP.local_pref: 100",
      ]),
  );
  return [...(lines.length === 0 ? [] : ["1007-Table master4:"]), ...lines, "0000 \n"].join("\n");
}

const renderTime = (ms: number): string => (ms / 1_000).toFixed(3);
