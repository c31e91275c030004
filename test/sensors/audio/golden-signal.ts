/** The integer-only test signal of the MFCC golden values: 2 s of a stepped triangle sweep in noise. */
export function goldenSignal(): Int16Array {
  const count = 32_000;
  const signal = new Int16Array(count);
  let state = 12_345;
  let phase = 0;
  for (let i = 0; i < count; i += 1) {
    state = (Math.imul(1_664_525, state) + 1_013_904_223) >>> 0;
    const noise = (state >>> 16) - 32_768;
    const hz = 200 + Math.floor((3000 * i) / count);
    phase = (phase + Math.floor((65_536 * hz) / 16_000)) & 0xffff;
    const triangle = Math.abs(phase - 32_768) - 16_384;
    const amplitude = Math.floor(i / 4000) % 2 === 0 ? 256 : 32;
    const sample = ((triangle * amplitude) >> 8) + (noise >> 7);
    signal[i] = Math.max(-32_768, Math.min(32_767, sample));
  }
  return signal;
}
