// What a Prometheus reads: the values of one moment under names that are declared beforehand, as text. Pure.
//
//   const page = createMetricsPage(SOME_METRICS);
//   page.set("becket_meshes", {}, 3);
//   return page.render("text");

export interface MetricDefinition<Label extends string = string> {
  /** A counter only ever grows, until what counts starts anew; its name ends in `_total`. */
  readonly type: "gauge" | "counter";
  /** One sentence: what it is, with its unit where that is none of the name's. */
  readonly help: string;
  readonly labels: readonly Label[];
}
export type MetricDefinitions = Readonly<Record<string, MetricDefinition>>;

export const gauge = <const Label extends string = never>(
  help: string,
  labels: readonly Label[] = [],
): MetricDefinition<Label> => ({ type: "gauge", help, labels });

export const counter = <const Label extends string = never>(
  help: string,
  labels: readonly Label[] = [],
): MetricDefinition<Label> => ({ type: "counter", help, labels });

export interface MetricsPage<Definitions extends MetricDefinitions> {
  /** Null: not known, and then it is not there. */
  set<Name extends keyof Definitions & string>(
    name: Name,
    labels: Readonly<Record<Definitions[Name]["labels"][number], string>>,
    value: number | null,
  ): void;
  /** In the order of the definitions; what has no value is left out. */
  render(format: MetricsFormat): string;
}

export type MetricsFormat = "text" | "openmetrics";

export const METRICS_CONTENT_TYPES: Readonly<Record<MetricsFormat, string>> = {
  text: "text/plain; version=0.0.4; charset=utf-8",
  openmetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8",
};

/** What a Prometheus prefers, it names first; a browser and curl name neither. */
export function toMetricsFormat(accept: string | null): MetricsFormat {
  const first = /application\/openmetrics-text|text\/plain/i.exec(accept ?? "")?.[0]?.toLowerCase();
  return first === "application/openmetrics-text" ? "openmetrics" : "text";
}

export function createMetricsPage<Definitions extends MetricDefinitions>(
  definitions: Definitions,
): MetricsPage<Definitions> {
  const samples = new Map<string, string[]>(Object.keys(definitions).map((name) => [name, []]));
  return {
    set(name, labels, value) {
      if (value === null) return;
      const parts = (definitions[name]?.labels ?? []).map(
        (label) => `${label}="${escapeLabel((labels as Record<string, string>)[label] ?? "")}"`,
      );
      samples.get(name)?.push(`${name}${parts.length === 0 ? "" : `{${parts.join(",")}}`} ${renderValue(value)}\n`);
    },
    render(format) {
      let text = "";
      for (const [name, lines] of samples) {
        const definition = definitions[name];
        if (lines.length === 0 || definition === undefined) continue;
        // OpenMetrics names a counter without the ending that its samples have.
        const family = format === "openmetrics" ? name.replace(/_total$/, "") : name;
        text += `# HELP ${family} ${escapeHelp(definition.help)}\n# TYPE ${family} ${definition.type}\n${lines.join("")}`;
      }
      return format === "openmetrics" ? `${text}# EOF\n` : text;
    },
  };
}

/** As both formats write numbers; JavaScript's own text is one of theirs, but for these. */
function renderValue(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "+Inf" : "-Inf";
  return String(value);
}

const escapeLabel = (text: string): string =>
  /["\\\n]/.test(text) ? text.replace(/\\/g, "\\\\").replace(/\n/g, "\\n").replace(/"/g, '\\"') : text;

const escapeHelp = (text: string): string => text.replace(/\\/g, "\\\\").replace(/\n/g, "\\n");
