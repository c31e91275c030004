import { saccadesUs } from "../../sensors/dvs/simulate/saccade-digit.ts";
import { canvasOrigin, canvasSide } from "./digit-canvas.ts";
import type { SaccadeVariation } from "./saccade-variation.ts";

export const gazeStepUs = 1000;
export const gazeSteps: number = saccadesUs / gazeStepUs;
const placeMax = canvasOrigin - 2;

/**
 * Where in the canvas the sensor looks at each millisecond, the first at 0: between the places
 * `base` + 80 · row + column and their right and lower neighbours. Steps between the same places are
 * a run.
 */
export class Gaze {
  /** Canvas index that the sensor's first pixel sees. */
  readonly base: Int32Array = new Int32Array(gazeSteps + 1);
  /** Weights of the right and of the lower neighbours, 0 … 1. */
  readonly weightX: Float64Array = new Float64Array(gazeSteps + 1);
  readonly weightY: Float64Array = new Float64Array(gazeSteps + 1);
  /** First step of each run, and behind the last the end. */
  readonly runStart: Int32Array = new Int32Array(gazeSteps + 2);
  runs = 0;

  follow({ place }: SaccadeVariation): void {
    this.runs = 0;
    for (let step = 0; step <= gazeSteps; step++) {
      const { x, y } = place(step * gazeStepUs);
      const left = canvasOrigin - Math.max(-placeMax, Math.min(placeMax, x));
      const top = canvasOrigin - Math.max(-placeMax, Math.min(placeMax, y));
      const column = Math.floor(left);
      const row = Math.floor(top);
      this.base[step] = row * canvasSide + column;
      this.weightX[step] = left - column;
      this.weightY[step] = top - row;
      if (step > 0 && this.base[step] === this.base[step - 1]) continue;
      this.runStart[this.runs] = step;
      this.runs += 1;
    }
    this.runStart[this.runs] = gazeSteps + 1;
  }
}
