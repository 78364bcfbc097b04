/** Prints each problem on a line; the process then ends with 1. Without problems it says so and ends with 0. */
export function reportProblems(problems: readonly string[]): void {
  process.stdout.write(problems.length === 0 ? "ok\n" : `${problems.join("\n")}\n`);
  process.exitCode = problems.length === 0 ? 0 : 1;
}
