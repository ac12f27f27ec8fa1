import assert from "node:assert/strict";
import { test } from "node:test";
import { compare, parse } from "./compare.mjs";

test("the worst of several numbers is named", () => {
  assert.match(compare([1, 2, 0], [1, 2.00001, 0]), /of 3 numbers, line 2 .* 5\.0e-6/);
});

test("more than the tolerance is an error", () => {
  assert.throws(() => compare([1, -2], [1, -2.0001]), /line 2 .* 5\.0e-5/);
  assert.throws(() => compare([0], [1e-9]), /line 1 .* 1\.0e\+0/);
});

test("empty lists and lists of unequal length are errors", () => {
  assert.throws(() => compare([], []), /native gave 0 numbers and wasm 0/);
  assert.throws(() => compare([1, 2], [1]), /native gave 2 numbers and wasm 1/);
});

test("what is not a finite number is an error, on both sides too", () => {
  assert.deepEqual(parse("1e-7\n-0.5\n"), [1e-7, -0.5]);
  for (const word of ["NaN", "inf", "words"]) {
    assert.throws(() => compare(parse(word), parse(word)), /Infinity/);
  }
});
