// A web server of files, as a process inside a node: serve-folder.ts FOLDER PORT
import { createReadStream, existsSync } from "node:fs";
import http from "node:http";
import path from "node:path";

const [folder = "", port = ""] = process.argv.slice(2);

http
  .createServer((request, response) => {
    const file = path.join(folder, path.normalize(`/${request.url}`));
    response.statusCode = existsSync(file) ? 200 : 404;
    if (response.statusCode === 200) createReadStream(file).pipe(response);
    else response.end();
  })
  .listen(Number(port), "::");
