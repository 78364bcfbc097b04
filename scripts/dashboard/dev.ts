// The dashboard with hot reload, in front of a control plane that runs already.
//
//   node scripts/dashboard/dev.ts [ORIGIN OF THE CONTROL PLANE]
import { createServer } from "vite";
import { dashboardConfig } from "./vite-config.ts";

const target = process.argv[2] ?? "http://127.0.0.1:8787";
const proxied = { target, changeOrigin: true, ws: true };
const server = await createServer({
  ...dashboardConfig,
  server: { host: "127.0.0.1", port: 5173, proxy: { "/api": proxied, "/agent": proxied, "/reference": proxied } },
});
await server.listen();
console.log(`The dashboard, with ${target} behind it:`);
server.printUrls();
