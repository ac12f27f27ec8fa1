import assert from "node:assert/strict";
import { test } from "node:test";
import { compare, parse } from "./compare.mjs";

test("compare several numbers names the worst", () => {
  assert.match(compare([1, 2, 0], [1, 2.00001, 0]), /of 3 numbers, line 2 .* 5\.0e-6/);
});

test("compare beyond the tolerance throws", () => {
  assert.throws(() => compare([1, -2], [1, -2.0001]), /line 2 .* 5\.0e-5/);
  assert.throws(() => compare([0], [1e-9]), /line 1 .* 1\.0e\+0/);
});

test("compare empty or unequal lists throws", () => {
  assert.throws(() => compare([], []), /native gave 0 numbers and wasm 0/);
  assert.throws(() => compare([1, 2], [1]), /native gave 2 numbers and wasm 1/);
});

test("compare not finite numbers throws, even if both sides are equal", () => {
  assert.deepEqual(parse("1e-7\n-0.5\n"), [1e-7, -0.5]);
  for (const word of ["NaN", "inf", "words"]) {
    assert.throws(() => compare(parse(word), parse(word)), /Infinity/);
  }
});
