// What happens to the control plane, and between it and the agents. Direct paths don't notice any of it.
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { eventually } from "../../lab/probes/eventually.ts";
import type { LabProcess } from "../../lab/system/process.ts";
import { lockDatabase } from "./database-lock.ts";
import { type FaultFleet, isRelayed, type MakeFault, nobody } from "./fault.ts";

const PORT = 8080;
const PROXY_PORT = 8082;
const RECONNECTS = 10;
const RECONNECT_EVERY_MS = 300;
const PROXY = path.join(import.meta.dirname, "unruly-proxy.ts");

const controlPlaneDown: MakeFault = ({ fleet: { controlPlane } }) => ({
  begin: () => controlPlane.kill(),
  end: () => controlPlane.start(),
  mayLose: isRelayed,
});

/** workerd gives no way to evict one object: all of them go, and come back with the first request. */
const relayEvicted: MakeFault = ({ fleet: { controlPlane } }) => ({
  begin: async () => {
    await controlPlane.kill();
    await controlPlane.start();
  },
  end: async () => {},
  mayLose: isRelayed,
});

/** Another process holds the database's lock: whatever D1 is to write fails. */
const d1Failing: MakeFault = ({ dataFolder }) => {
  let unlock = () => {};
  return {
    begin: async () => {
      unlock = await lockDatabase(dataFolder);
    },
    end: async () => unlock(),
    mayLose: nobody,
    // A caller got a 500 or 503.
    expectedErrors: [/request failed/],
  };
};

/** A proxy between agents and objects repeats sync messages and holds some back, so that later ones overtake them. */
const unrulyMessages: MakeFault = (on, random) => {
  const { control } = on.fleet.lab;
  let proxy: LabProcess | null = null;
  return {
    begin: async () => {
      const seed = String(Math.floor(random() * 2 ** 31));
      const argv = [process.execPath, PROXY, control.ipv4, String(PROXY_PORT), on.fleet.controlPlane.url, seed];
      proxy = await control.spawn(argv, { logFile: path.join(control.files.logs, "unruly-proxy.log") });
      const isListening = async () => (await control.exec(["ss", "-Hltn", `sport = :${PROXY_PORT}`])).stdout !== "";
      await eventually(isListening, { withinMs: 30_000, describe: "the proxy listens" });
      const chain = `type nat hook prerouting priority dstnat - 1; tcp dport ${PORT} redirect to :${PROXY_PORT};`;
      await control.exec(["nft", "-f", "-"], { input: `table inet unruly {\n chain prerouting { ${chain} }\n}\n` });
      await cutConnections(on);
    },
    end: async () => {
      await control.exec(["nft", "delete", "table", "inet", "unruly"]);
      await proxy?.kill("SIGKILL");
    },
    // Its relay goes with the other connections, at the beginning and at the end.
    mayLose: isRelayed,
  };
};

const rapidReconnects: MakeFault = (on) => ({
  begin: async () => {
    for (let count = 0; count < RECONNECTS; count++) {
      await cutConnections(on);
      await delay(RECONNECT_EVERY_MS);
    }
  },
  end: async () => {},
  mayLose: isRelayed,
});

/** Resets every connection to the control plane that is open. The door of this host is not one of them: it has addresses of its own. */
async function cutConnections({ fleet: { lab } }: FaultFleet): Promise<void> {
  await Promise.all(lab.machines.map((machine) => machine.exec(["ss", "-K", "-t", `dport = :${PORT}`])));
}

export const CONTROL_PLANE_FAULTS = { controlPlaneDown, relayEvicted, d1Failing, unrulyMessages, rapidReconnects };
