// Node has the wasm beside this file: it is there when the import is done.
import { readFileSync } from "node:fs";
import { initSync } from "./syftbox_web.js";

initSync({ module: readFileSync(new URL("./syftbox_web_bg.wasm", import.meta.url)) });

export * from "./syftbox_web.js";
export default async function init() {}
