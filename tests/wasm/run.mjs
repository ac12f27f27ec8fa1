// Runs a WASI program: `node run.mjs PROGRAM.wasm`. What it prints goes to standard output; a trap is an error.
import { readFile } from "node:fs/promises";
import { WASI } from "node:wasi";

const wasi = new WASI({ version: "preview1" });
const imports = { wasi_snapshot_preview1: wasi.wasiImport };
const { instance } = await WebAssembly.instantiate(await readFile(process.argv[2]), imports);
process.exitCode = wasi.start(instance);
