// How Vite sees the dashboard; for the build and for `npm run dev`.
import path from "node:path";
import tailwind from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import type { InlineConfig } from "vite";

const repository = path.resolve(import.meta.dirname, "../..");

export const dashboardConfig = {
  configFile: false,
  root: path.join(repository, "dashboard"),
  cacheDir: path.join(repository, "build/vite"),
  plugins: [react(), tailwind()],
  build: {
    assetsInlineLimit: 0,
    // The same file for every browser that has what the page needs: `light-dark()`, `:has()`, native nesting.
    target: ["chrome123", "firefox121", "safari17.5"],
    sourcemap: false,
    reportCompressedSize: false,
  },
} satisfies InlineConfig;
