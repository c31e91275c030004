import { concatMap, finalize, from, identity, takeUntil } from "rxjs";
import { Random } from "../../sensors/random.ts";
import { raised } from "../raised.ts";
import { delayAtRandom } from "../replay/delay-at-random.ts";
import { paceDeliveries } from "../replay/pace-deliveries.ts";
import { openRecording } from "../replay/recording-reader.ts";
import { replaySource } from "../replay/replay-source.ts";
import { type PublishOptions, publishItems } from "./publish-items.ts";

/** Messages the broker may not have answered for. */
const inFlightMax = 1024;

export interface PublishRecordingsOptions extends PublishOptions {
  readonly paths: readonly string[];
  /** Times real time; `max`: as fast as the broker takes them. */
  readonly rate: number | "max";
  /** See {@link delayAtRandom}. */
  readonly delayUs: number;
  /** Of the delays. */
  readonly seed: number;
  readonly stop: AbortSignal;
  /** Called when a recording begins. */
  readonly onRecording?: (path: string) => void;
}

/**
 * Publishes recordings, one after the other, as their sensors would have.
 *
 * @returns how many items were published
 * @throws {PolyphaseError} BROKER_UNAVAILABLE, BAD_RECORDING, BAD_EVENT
 */
export function publishRecordings(options: PublishRecordingsOptions): Promise<number> {
  const { paths, rate, delayUs, seed, stop, onRecording } = options;
  const random = new Random(seed);
  const deliveries = from(paths).pipe(
    concatMap(async (path) => {
      onRecording?.(path);
      return openRecording(path);
    }),
    concatMap((recording) =>
      replaySource(recording, { order: "received", inFlightMax })
        .open()
        .pipe(
          delayUs > 0 ? delayAtRandom(delayUs, random) : identity,
          paceDeliveries(rate),
          finalize(() => recording.close()),
        ),
    ),
    takeUntil(raised(stop)),
  );
  return publishItems(deliveries, options);
}
