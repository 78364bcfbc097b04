// What operators' commands need of this process.
import type { OperatorPorts } from "../operator/run-operation.ts";
import { VERSION } from "../version.ts";
import type { CliPorts } from "./cli.ts";
import { CommandFailure, EXIT_CODES } from "./exit-codes.ts";

export const toOperatorPorts = ({ agent, env, stopSignal, readStdin, print }: CliPorts): OperatorPorts => ({
  http: agent.http,
  env,
  userAgent: `becket/${VERSION}`,
  now: () => agent.clock.wall(),
  async readFile(file) {
    const text = await agent.files.read(file).catch(() => null);
    if (text === null) throw new CommandFailure(EXIT_CODES.usage, `${file} can't be read.`);
    return text;
  },
  readStdin: () => readStdin(stopSignal),
  print,
});
