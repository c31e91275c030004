import fc from "fast-check";
import { expect, test } from "vitest";
import type { GreyPicture } from "../../../src/sensors/video/grey-picture.ts";
import { Y4mDecoder } from "../../../src/sensors/video/y4m-decoder.ts";

const header = "YUV4MPEG2 W3 H2 F25:1 Ip A1:1 Cmono XCOLORRANGE=FULL\n";
// Pixels of 10 are line ends, and those of the second picture spell "FRAME\n".
const film = Buffer.from(`${header}FRAME\n\n\n\n\n\n\nFRAME Ip\nFRAME\n`, "latin1");

function decode(pieces: readonly Uint8Array[]): { picture: GreyPicture; rate: number }[] {
  const pictures: { picture: GreyPicture; rate: number }[] = [];
  const decoder = new Y4mDecoder((picture, { rate }) => pictures.push({ picture, rate }));
  for (const piece of pieces) decoder.push(piece);
  decoder.end();
  return pictures;
}

test("Y4mDecoder gives the same pictures however the film is cut", () => {
  const expected = [
    Uint8Array.from({ length: 6 }, () => 10),
    Uint8Array.from(Buffer.from("FRAME\n")),
  ];
  fc.assert(
    fc.property(fc.array(fc.nat(film.length)), (cuts) => {
      const places = [0, ...cuts.toSorted((a, b) => a - b), film.length];
      const pieces = places.slice(1).map((end, i) => film.subarray(places[i], end));
      expect(decode(pieces)).toEqual(
        expected.map((pixels) => ({ picture: { width: 3, height: 2, pixels }, rate: 25 })),
      );
    }),
    { numRuns: 50 },
  );
});

test.each([
  ["", "header must be there, got nothing"],
  ["RIFF\n", 'header must be YUV4MPEG2, got "RIFF"'],
  ["x".repeat(300), "line must be at most 256 bytes, got a longer one"],
  ["YUV4MPEG2 W3 H2 F25:1 C420jpeg\n", "colours must be mono, got 420jpeg"],
  ["YUV4MPEG2 W3 H0 F25:1 Cmono\n", "height must be 1 to 8192, got 0"],
  ["YUV4MPEG2 W9999 H2 F25:1 Cmono\n", "width must be 1 to 8192, got 9999"],
  ["YUV4MPEG2 W3 H2 F0:0 Cmono\n", "rate must be pictures:seconds, got 0:0"],
  [`${header}FRAME\n123456FRAM\n`, 'line before a picture must be "FRAME", got "FRAM"'],
  [`${header}FRAME\n1234`, "last picture must be whole, got 4 bytes of it"],
])("Y4mDecoder refuses %j", (text, message) => {
  expect(() => decode([Buffer.from(text, "latin1")])).toThrow(
    `Cannot read YUV4MPEG2 film: ${message}`,
  );
});
