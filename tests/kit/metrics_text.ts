/**
 * Reads Prometheus' text format as strictly as Prometheus does, so that a test fails on a line that Prometheus would
 * refuse.
 *
 * @module
 */
import assert from "node:assert/strict";

const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const SAMPLE =
  /^([a-zA-Z_:][a-zA-Z0-9_:]*)(\{(?:[a-zA-Z_]\w*="(?:[^"\\\n]|\\[\\"n])*",?)*\})? (-?[\d.e+-]+|\+Inf|NaN)$/;

/** Every sample by its name and labels. Fails on invalid text and on duplicate samples. */
export function readMetrics(text: string): Map<string, number> {
  assert.ok(text.endsWith("\n"));
  const samples = new Map<string, number>(), types = new Map<string, string>();
  for (const line of text.slice(0, -1).split("\n")) {
    const [, kind, name, rest] = /^# (HELP|TYPE) (\S+) (.+)$/.exec(line) ?? [];
    if (kind !== undefined) {
      assert.match(name, NAME);
      if (kind === "TYPE") {
        assert.ok(!types.has(name), `${name} has two types`);
        types.set(name, rest);
      }
      continue;
    }
    const [, sample, labels = "", value] = SAMPLE.exec(line) ?? assert.fail(`not a sample: ${line}`);
    const family = sample.replace(/_(?:bucket|sum|count)$/, "");
    const type = types.get(sample) ?? types.get(family);
    assert.ok(type, `${sample} has no type`);
    if (type === "counter") assert.match(sample, /_total$/);
    assert.ok(!samples.has(sample + labels), `${line} is there twice`);
    samples.set(sample + labels, Number(value));
  }
  return samples;
}
