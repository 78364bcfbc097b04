// How Vite sees the dashboard; for the build and for `npm run dev`.
import path from "node:path";
import tailwind from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import type { InlineConfig } from "vite";
import { startScript } from "./start-script.ts";
import { withoutDescriptions } from "./without-descriptions.ts";

const repository = path.resolve(import.meta.dirname, "../..");
const dashboard = path.join(repository, "dashboard");

export const dashboardConfig = {
  configFile: false,
  root: dashboard,
  cacheDir: path.join(repository, "build/vite"),
  plugins: [withoutDescriptions(path.join(repository, "schema")), react(), tailwind(), startScript(dashboard)],
  build: {
    assetsInlineLimit: 0,
    // The same file for every browser that has what the page needs: `light-dark()`, `:has()`, native nesting.
    target: ["chrome123", "firefox121", "safari17.5"],
    sourcemap: false,
    rolldownOptions: {
      output: {
        codeSplitting: {
          groups: [
            { name: "libraries", test: /\/node_modules\// },
            // What the first page needs, whichever it is, and what pages share.
            { name: "frame", test: /\/(dashboard|schema)\//, tags: ["$initial"] },
            { name: "shared", test: /\/(dashboard|schema)\//, minShareCount: 2, includeDependenciesRecursively: false },
          ],
        },
      },
    },
    reportCompressedSize: false,
    // The libraries are one file, which stays the same from version to version. What the first load may weigh, first-load.test.ts says.
    chunkSizeWarningLimit: 700,
  },
} satisfies InlineConfig;
