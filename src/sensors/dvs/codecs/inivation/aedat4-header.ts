import type { SensorSize } from "../dvs-decoder.ts";
import { latin1, sizeOf } from "../prophesee/raw-header.ts";
import { FlatTable } from "./flat-table.ts";

/** How the packets of an AEDAT 4 file are compressed. */
export type Aedat4Compression = "none" | "lz4" | "zstd";

/** One of the streams an AEDAT 4 file interleaves. */
export interface Aedat4Stream {
  /** EVTS, FRME, IMUS or TRIG. */
  readonly type: string;
  readonly size: SensorSize | undefined;
}

export interface Aedat4Header {
  /** `undefined` if the code is not a known one. */
  readonly compression: Aedat4Compression | undefined;
  /** Byte position of the table behind the packets; negative if the recorder never wrote one. */
  readonly tablePosition: number;
  readonly streams: ReadonlyMap<number, Aedat4Stream>;
}

const compressions: readonly Aedat4Compression[] = ["none", "lz4", "lz4", "zstd", "zstd"];

/** Parses the flatbuffer `IOHE` behind the version line. */
export function parseAedat4Header(message: Uint8Array): Aedat4Header {
  const view = new DataView(message.buffer, message.byteOffset, message.byteLength);
  const root = FlatTable.root(view, 0);
  const info = root.vector(2, 1);
  return {
    compression: compressions[root.int32(0, 0)],
    tablePosition: root.int64(1, -1),
    streams: parseStreams(latin1(message.subarray(info.at, info.at + info.count))),
  };
}

/**
 * The streams that the XML tree under `outInfo` names: nodes called by their number hold the
 * attribute `typeIdentifier` and, in a child `info`, `sizeX` and `sizeY`. A scan for these tags is
 * enough, as the recorder writes nothing else under these names.
 */
function parseStreams(xml: string): Map<number, Aedat4Stream> {
  const streams = new Map<number, Aedat4Stream>();
  const nodes = [...xml.matchAll(/<node name="(\d+)" path="[^"]*outInfo\/\d+\/">/g)];
  nodes.forEach((node, i) => {
    const text = xml.slice(node.index, nodes[i + 1]?.index);
    streams.set(Number(node[1]), {
      type: attribute(text, "typeIdentifier") ?? "",
      size: sizeOf(attribute(text, "sizeX"), attribute(text, "sizeY")),
    });
  });
  return streams;
}

function attribute(xml: string, key: string): string | undefined {
  return new RegExp(`<attr key="${key}" type="\\w+">([^<]*)<`).exec(xml)?.[1];
}
