// Prints, as JSON, which features of an HTML e-mail the mail programs of schools do not show:
//   node lint.mjs FILE  ->  {"@media": ["outlook.windows"], ...}
import { readFileSync } from "node:fs";
import { caniemail } from "caniemail";

const { issues } = caniemail({ clients: ["outlook.*", "gmail.*"], html: readFileSync(process.argv[2], "utf8") });
const missing = {};
for (const [client, errors] of issues.errors) {
  for (const { title } of errors) (missing[title] ??= []).push(client);
}
console.log(JSON.stringify(missing));
