// Compares two lists of numbers, one number per line: `node compare.mjs NATIVE.txt WASM.txt`.
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const TOLERANCE = 1e-5;

export function parse(text) {
  return text.split("\n").filter((line) => line !== "").map(Number);
}

/** Returns |x − y| relative to the larger of the two, or Infinity if either is not a finite number. */
function difference(x, y) {
  if (!Number.isFinite(x) || !Number.isFinite(y)) return Infinity;
  return x === y ? 0 : Math.abs(x - y) / Math.max(Math.abs(x), Math.abs(y));
}

/** Returns a sentence about the largest difference. Throws an Error with that sentence if the lists do not agree. */
export function compare(native, wasm) {
  if (native.length !== wasm.length || native.length === 0) {
    throw new Error(`native gave ${native.length} numbers and wasm ${wasm.length}: expected equal counts, and at least one`);
  }
  const differences = native.map((x, i) => difference(x, wasm[i]));
  const worst = differences.reduce((max, d, i) => (d > differences[max] ? i : max), 0);
  const sentence =
    `of ${native.length} numbers, line ${worst + 1} differs most: native ${native[worst]}, wasm ${wasm[worst]}, ` +
    `relative difference ${differences[worst].toExponential(1)}, allowed ${TOLERANCE}`;
  if (differences[worst] > TOLERANCE) throw new Error(sentence);
  return sentence;
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const [native, wasm] = process.argv.slice(2, 4).map((path) => parse(readFileSync(path, "utf8")));
  console.log(compare(native, wasm));
}
