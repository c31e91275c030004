/** Learning rate over a run: linear warm-up, then half a cosine down. */
export interface LearningRateSchedule {
  /** Rate after the warm-up. */
  readonly peak: number;
  readonly warmupBatches: number;
  /** Rate at the end as a share of the peak; 1 keeps it constant. */
  readonly finalShare: number;
}

/** Rate of batch `batch` (from 0) of `batches`. */
export function learningRateAt(
  { peak, warmupBatches, finalShare }: LearningRateSchedule,
  batch: number,
  batches: number,
): number {
  if (batch < warmupBatches) return (peak * (batch + 1)) / warmupBatches;
  const progress = (batch - warmupBatches) / Math.max(1, batches - warmupBatches);
  return peak * (finalShare + (1 - finalShare) * 0.5 * (1 + Math.cos(Math.PI * progress)));
}
