// Takes the lock of a folder each time that it is told to on stdin, says what came of it, and keeps it.
//
//   node embedded/testing/take-lock.ts FOLDER
import { createInterface } from "node:readline";
import { takeLock } from "../state-lock.ts";

const [folder = ""] = process.argv.slice(2);
const input = createInterface(process.stdin);
input.on("line", () => console.log(JSON.stringify(takeLock(folder))));
input.on("close", () => process.exit(0));
console.log("ready");
