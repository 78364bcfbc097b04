import { describe, expect, test } from "vitest";
import { AGENT_METRICS } from "./agent-metrics.ts";
import { CONTROL_PLANE_METRICS } from "./control-plane-metrics.ts";
import { counter, createMetricsPage, gauge, toMetricsFormat } from "./metrics-page.ts";

const TEST_METRICS = {
  becket_boxes: gauge("Boxes."),
  becket_box_bytes_total: counter("Bytes of a box, \\ and\nmore.", ["box", "side"]),
  becket_unset: gauge("Never set."),
} as const;

function createFilledPage() {
  const page = createMetricsPage(TEST_METRICS);
  page.set("becket_box_bytes_total", { side: "left", box: 'a "b" \\ c\nd' }, 1.5e21);
  page.set("becket_box_bytes_total", { box: "e", side: "right" }, null);
  page.set("becket_boxes", {}, 0);
  return page;
}

test("renders what Prometheus' text format 0.0.4 asks for", () => {
  expect(createFilledPage().render("text")).toBe(
    `# HELP becket_boxes Boxes.
# TYPE becket_boxes gauge
becket_boxes 0
# HELP becket_box_bytes_total Bytes of a box, \\\\ and\\nmore.
# TYPE becket_box_bytes_total counter
becket_box_bytes_total{box="a \\"b\\" \\\\ c\\nd",side="left"} 1.5e+21
`,
  );
});

test("names a counter's family without its ending in OpenMetrics, and says where the end is", () => {
  const text = createFilledPage().render("openmetrics");
  expect(text).toContain("# TYPE becket_box_bytes counter\nbecket_box_bytes_total{");
  expect(text).toMatch(/\n# EOF\n$/);
});

test("writes what is no ordinary number as the formats do", () => {
  const page = createMetricsPage(TEST_METRICS);
  for (const value of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1e-9])
    page.set("becket_boxes", {}, value);
  expect(page.render("text").match(/^becket_boxes .*$/gm)).toEqual([
    "becket_boxes NaN",
    "becket_boxes +Inf",
    "becket_boxes -Inf",
    "becket_boxes 1e-9",
  ]);
});

test.each([
  [null, "text"],
  ["*/*", "text"],
  ["text/plain;version=0.0.4", "text"],
  // Prometheus 2.42, and 3.
  [
    "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
    "openmetrics",
  ],
  ["text/plain;version=1.0.0;q=0.5,application/openmetrics-text;version=1.0.0;q=0.4", "text"],
] as const)("to Accept: %s it answers %s", (accept, format) => {
  expect(toMetricsFormat(accept)).toBe(format);
});

describe.each([
  ["control plane", CONTROL_PLANE_METRICS],
  ["agent", AGENT_METRICS],
])("the metrics of the %s", (_, definitions) => {
  test.each(Object.entries(definitions))(
    "%s is named as Prometheus names such ones",
    (name, { type, help, labels }) => {
      expect(name).toMatch(/^(becket|process)_[a-z0-9_]+[a-z0-9]$/);
      expect(name.endsWith("_total")).toBe(type === "counter");
      expect(help).toMatch(/^[A-Z0-9].*\.$/);
      // Two of these would be said of the target itself.
      expect((labels as readonly string[]).filter((label) => ["job", "instance", "__name__"].includes(label))).toEqual(
        [],
      );
    },
  );
});
