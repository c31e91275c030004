/** CRC-32 of zlib, gzip and MCAP: the polynomial without x^32; bit 31 − i is the coefficient of x^i. */
const polynomial = 0xedb88320;
const one = 0x80000000;
const x = one >>> 1;

/** Product of two polynomials over GF(2), modulo that of CRC-32; bits as in {@link polynomial}. */
function multiply(a: number, b: number): number {
  let product = 0;
  // b · x^i, for each coefficient of x^i in a.
  let shifted = b;
  for (let rest = a; rest !== 0; rest <<= 1) {
    if ((rest & one) !== 0) product ^= shifted;
    shifted = (shifted & 1) === 0 ? shifted >>> 1 : (shifted >>> 1) ^ polynomial;
  }
  return product;
}

/** x^(8 · 2^k) for each k: what 2^k bytes that follow multiply a CRC by. */
const byteShifts = createByteShifts();

function createByteShifts(): number[] {
  const powers = [x];
  for (let k = 1; k < 3 + 32; k++) powers.push(multiply(powers[k - 1]!, powers[k - 1]!));
  // x, squared three times, is x^8.
  return powers.slice(3);
}

/**
 * CRC-32 of bytes that consist of two parts, from those of the parts: bytes that have a CRC already
 * need not be read again. (As `crc32_combine` of zlib 1.2.12.)
 *
 * @param first of the first part; 0 if it is empty
 * @param second of the second part
 * @param secondBytes length of the second part, below 2^32
 */
export function combineCrc32(first: number, second: number, secondBytes: number): number {
  let shifted = first;
  for (let rest = secondBytes, k = 0; rest !== 0; rest >>>= 1, k++) {
    if ((rest & 1) !== 0) shifted = multiply(byteShifts[k]!, shifted);
  }
  return (shifted ^ second) >>> 0;
}
