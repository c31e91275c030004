import type { GovernorSummary, RunSummary } from "../summarise-run.ts";
import { countsText, grouped, percent, seconds } from "./numbers.ts";
import { table } from "./table.ts";

/** A replay's summary for people. */
export function summaryText(summary: RunSummary): string {
  const { layers, eventsPerSensor, dropped, anomalies } = summary;
  const macs = layers.reduce((sum, layer) => sum + layer.macs, 0);
  const denseMacs = layers.reduce((sum, layer) => sum + layer.denseMacs, 0);
  const perSensor = Object.entries(eventsPerSensor).map(([name, n]) => `${name} ${grouped(n)}`);
  const facts: readonly (readonly [string, string])[] = [
    ["model", `${summary.model.name} (${summary.model.weights}), ${summary.kernel}`],
    ["events", `${grouped(summary.events)} (${perSensor.join(", ")})`],
    ["dropped", countsText(dropped)],
    ["anomalies", countsText(anomalies)],
    ["ticks", grouped(summary.ticks)],
    ["predictions", grouped(summary.predictions)],
    ["open fraction", percent(summary.openFraction)],
    ["work saved", `${percent(1 - macs / denseMacs)} of dense recurrent work`],
    ...governorFacts(summary.governor),
    ...timeFacts(summary),
  ];
  const width = Math.max(...facts.map(([name]) => name.length));
  const layerTable = table(
    ["layer", "units", "steps", "open", "updates/unit", "MAC", "dense MAC", "saved"],
    layers.map((layer) => [
      layer.name,
      layer.units,
      grouped(layer.steps),
      percent(layer.openFraction),
      layer.updatesPerUnit.toFixed(1),
      grouped(layer.macs),
      grouped(layer.denseMacs),
      percent(1 - layer.macs / layer.denseMacs),
    ]),
  );
  return [
    ...facts.map(([name, value]) => `${name.padEnd(width)}  ${value}`),
    "",
    layerTable,
    "",
    `state  ${summary.stateHash}`,
    `digest ${summary.digest}`,
  ].join("\n");
}

/** What a compute budget did to the layers. */
export function governorFacts(
  governor: GovernorSummary | undefined,
): readonly (readonly [string, string])[] {
  if (governor === undefined) return [];
  const narrowed = Object.entries(governor.openScale).filter(([, scale]) => scale < 1);
  const text = narrowed.map(([layer, scale]) => `${layer} to ${percent(scale)} of its r_on`);
  const overspent = governor.overspentSeconds;
  return [
    [
      "budget",
      `${grouped(governor.budgetUsPerSecond)} µs/s, ${grouped(governor.decisions)} changes`,
    ],
    ["narrowed", text.length === 0 ? "none" : text.join(", ")],
    ...(overspent === 0 ? [] : [["over budget", `${grouped(overspent)} s at the floors`] as const]),
  ];
}

/** How fast a replay went; a live run goes as fast as its sensors. */
function timeFacts(summary: RunSummary): readonly (readonly [string, string])[] {
  const { eventSeconds, wallSeconds } = summary;
  if (summary.recordings.length === 0) return [["ran", `${wallSeconds.toFixed(3)} s`]];
  const speed = `${grouped(summary.realTimeFactor)} × real time`;
  return [
    ["per event", `${((wallSeconds * 1e6) / summary.events).toFixed(2)} µs`],
    ["speed", `${speed} (${seconds(eventSeconds * 1e6)} in ${wallSeconds.toFixed(3)} s)`],
  ];
}
