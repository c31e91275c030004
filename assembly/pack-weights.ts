/**
 * Puts rows of weights where the step reads them: [unit][column / 4][slot][4] instead of
 * [row][gate][unit].
 *
 * @param blocks f32, those of the layer, zero in the padding
 * @param weights f32 [rows][gates][units]
 * @param firstColumn what the first row is multiplied with in v = [h | x]
 * @param columns length of v
 * @param lastSlot slot of the last gate; gates before it have slots of their numbers
 */
export function packWeights(
  blocks: usize, weights: usize, rows: u32, gates: u32, units: u32,
  firstColumn: u32, columns: u32, lastSlot: u32,
): void {
  const unitBytes = <usize>columns << 4;
  for (let row: u32 = 0; row < rows; row++) {
    const column = <usize>(firstColumn + row);
    const lane = blocks + ((column >> 2) << 6) + ((column & 3) << 2);
    for (let gate: u32 = 0; gate < gates; gate++) {
      const slot = gate + 1 == gates ? lastSlot : gate;
      let target = lane + (<usize>slot << 4);
      for (let unit: u32 = 0; unit < units; unit++) {
        store<f32>(target, load<f32>(weights));
        weights += 4;
        target += unitBytes;
      }
    }
  }
}
