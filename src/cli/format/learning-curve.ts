import type { TrainingReport } from "../../train/trainer/run-training.ts";

type CurvePoint = Pick<TrainingReport, "batch" | "loss" | "accuracy" | "validation">;

/** A line of one panel. */
interface Curve {
  readonly name: string;
  readonly colour: string;
  /** Batch and value. */
  readonly points: readonly (readonly [batch: number, value: number])[];
}

const width = 720;
const panelHeight = 180;
const left = 70;
const gap = 40;
const trainColour = "#4477aa";
const validationColour = "#cc6677";

/**
 * A run as a picture: loss on a logarithmic scale above, accuracy below, of training and of
 * validation.
 *
 * @param reports in any order; of those of the same batch the last counts, as after a resumed run
 */
export function learningCurveSvg(title: string, reports: readonly CurvePoint[]): string {
  const byBatch = new Map(reports.map((report) => [report.batch, report]));
  const points = [...byBatch.values()].sort((a, b) => a.batch - b.batch);
  const validated = points.filter(({ validation }) => validation !== undefined);
  const curves = (pick: (point: { loss: number; accuracy: number }) => number): Curve[] => [
    { name: "training", colour: trainColour, points: points.map((p) => [p.batch, pick(p)]) },
    {
      name: "validation",
      colour: validationColour,
      points: validated.map((p) => [p.batch, pick(p.validation!)]),
    },
  ];
  const last = points.at(-1)?.batch ?? 1;
  const height = 2 * panelHeight + 3 * gap;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12">`,
    `<rect width="${width}" height="${height}" fill="white"/>`,
    `<text x="${left}" y="20" font-size="14">${escaped(title)}</text>`,
    panel("loss", curves((p) => p.loss).map(logarithmic), last, gap, (y) =>
      (10 ** y).toPrecision(2),
    ),
    panel(
      "accuracy, %",
      curves((p) => 100 * p.accuracy),
      last,
      panelHeight + 2 * gap,
      (y) => y.toPrecision(3),
    ),
    `<text x="${width - gap}" y="${height - 12}" text-anchor="end">batch ${last}</text>`,
    "</svg>",
    "",
  ].join("\n");
}

function logarithmic(curve: Curve): Curve {
  return {
    ...curve,
    points: curve.points
      .filter(([, value]) => value > 0)
      .map(([batch, value]) => [batch, Math.log10(value)] as const),
  };
}

function panel(
  name: string,
  curves: readonly Curve[],
  last: number,
  top: number,
  label: (value: number) => string,
): string {
  const values = curves.flatMap(({ points }) => points.map(([, value]) => value));
  if (values.length === 0) return "";
  const low = values.reduce((least, value) => Math.min(least, value));
  const high = Math.max(
    values.reduce((most, value) => Math.max(most, value)),
    low + 1e-9,
  );
  const right = width - gap;
  const bottom = top + panelHeight;
  const x = (batch: number): string => (left + ((right - left) * batch) / last).toFixed(1);
  const y = (value: number): string =>
    (bottom - (panelHeight * (value - low)) / (high - low)).toFixed(1);
  const ticks = [0, 0.25, 0.5, 0.75, 1].map((share) => {
    const value = low + share * (high - low);
    const line = `<line x1="${left}" x2="${right}" y1="${y(value)}" y2="${y(value)}" stroke="#ddd"/>`;
    return `${line}<text x="${left - 6}" y="${y(value)}" dy="4" text-anchor="end">${label(value)}</text>`;
  });
  const lines = curves.map(({ points, colour }) => {
    const path = points.map(([batch, value]) => `${x(batch)},${y(value)}`).join(" ");
    return `<polyline points="${path}" fill="none" stroke="${colour}" stroke-width="1.5"/>`;
  });
  const legend = curves.map(
    ({ name: curve, colour }, i) =>
      `<text x="${right - 160 + 80 * i}" y="${top - 6}" fill="${colour}">${curve}</text>`,
  );
  const heading = `<text x="${left}" y="${top - 6}">${name}</text>`;
  return [heading, ...legend, ...ticks, ...lines].join("\n");
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
}
