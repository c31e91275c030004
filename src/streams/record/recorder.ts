import zstd from "@foxglove/wasm-zstd";
import { asyncScheduler, type SchedulerLike, type Subscription } from "rxjs";
import { ByteMemory } from "../../sensors/byte-memory.ts";
import type { Marker, SensorEvent, StreamItem } from "../../sensors/sensor-event.ts";
import type { TimeUs } from "../../sensors/time.ts";
import { type Decision, encodeDecision } from "../../wire/decision-json.ts";
import { encodeItem } from "../../wire/item-codec.ts";
import { encodeWatermark } from "../../wire/watermark-json.ts";
import type { ClockMap } from "../clock/clock-map.ts";
import { encodeClockMap } from "../clock/clock-map-json.ts";
import type { Keyframe } from "../fuse/fuse.ts";
import type { EventRange, MergedItem } from "../merge/merged-item.ts";
import { ChannelTable } from "./channel-table.ts";
import { ChunkEncoder } from "./chunk-encoder.ts";
import type { ControlKind } from "./control-channel.ts";
import type { RecordingOutput } from "./recording-output.ts";
import { itemsOf, StreamTrack } from "./stream-track.ts";

/** Bytes of messages per chunk: what a damaged chunk costs, and what a replay keeps in memory. */
const chunkBytes = 128 * 1024;
/** A crash loses what came since the last flush: half of what is promised, for slow disks. */
const flushMs = 500;
const defaultKeyframeUs = 10_000_000;

export interface RecorderOptions {
  /** Makes the place where chunks go. */
  readonly output: (table: ChannelTable) => RecordingOutput;
  /** Event time from one keyframe to the next. Default 10 s. */
  readonly keyframeUs?: number;
  /** Processing time: when to flush, and receive times that nobody noted. Default: the system's. */
  readonly scheduler?: SchedulerLike;
}

/** A stream's state as bytes; undefined for one that has none yet. */
export type TakeCheckpoint = (stream: string) => Uint8Array | undefined;

/**
 * Records what enters the graph: merged events, statuses, decisions, clock maps, watermarks and, every
 * few seconds of event time, the state of every stream (docs/RECORDING.md).
 *
 * Between two watermarks of a stream lie all its events between the two times and no other. A packet
 * that lies across a watermark is cut there. Every chunk ends with a watermark, so that it can be
 * replayed up to its end whatever happened to the next.
 */
export class Recorder {
  readonly #table = new ChannelTable();
  readonly #chunk = new ChunkEncoder();
  readonly #memory = new ByteMemory();
  readonly #output: RecordingOutput;
  readonly #keyframeUs: number;
  readonly #scheduler: SchedulerLike;
  readonly #timer: Subscription;
  readonly #streams = new Map<string, StreamTrack>();
  #keyframeDueUs: TimeUs | undefined;
  /** Latest receive time of anything recorded: the log time of what nobody received. */
  #receivedUs: TimeUs | undefined;
  #checkpoint: TakeCheckpoint = () => undefined;
  #closed = false;
  /** True once a stream is known to be at its end. */
  #isEnd = false;

  constructor(options: RecorderOptions) {
    this.#output = options.output(this.#table);
    this.#keyframeUs = options.keyframeUs ?? defaultKeyframeUs;
    this.#scheduler = options.scheduler ?? asyncScheduler;
    const flush = (): void => {
      // A failure is the output's, and is thrown by what is recorded next.
      this.flush().catch(() => undefined);
    };
    this.#timer = this.#scheduler.schedule(function () {
      flush();
      this.schedule(undefined, flushMs);
    }, flushMs);
  }

  /**
   * Adds what has just been applied to the graph.
   *
   * @param checkpoint gives the streams' states as they are now
   * @throws what the output failed with; BAD_EVENT for an item that cannot be encoded
   */
  record(item: MergedItem, checkpoint: TakeCheckpoint): void {
    if (this.#output.failure !== undefined) throw this.#output.failure;
    this.#checkpoint = checkpoint;
    const track = this.#trackOf(item.stream);
    switch (item.kind) {
      case "tick":
        for (const range of item.ranges) this.#touch(track, range);
        track.advanceTo(item.timeUs + 1);
        break;
      case "run":
        this.#touch(track, item.range);
        track.advanceTo(item.range.event.packet.timeUs[item.range.to - 1]! + 1);
        break;
      case "marker":
        this.#add(item.marker, item.finished[0]?.receivedUs);
        // The events of its time are still to come.
        track.advanceTo(item.timeUs);
        break;
      case "late":
        // What was in time lies before it, so that it is late in the recording too.
        this.#mark(track);
        this.#addRange(item.range);
        break;
      case "status":
        this.#add(item.status, undefined);
        break;
      case "discontinuity": {
        const { kind, stream, sensor, timeUs, reason, missing } = item;
        this.#addDecision({ kind, stream, timeUs, sensor, reason, missing });
        break;
      }
      case "decision":
        this.decide(item.decision);
        break;
      case "watermark":
        this.#passWatermark(track, item.timeUs);
        break;
      case "keyframe":
      // One of another recording: this one takes its own.
    }
    if (this.#chunk.byteLength >= chunkBytes) this.#closeChunk();
  }

  /**
   * Adds a decision that holds from now on: after all that was recorded of its stream, which must end
   * with a tick and not with a marker, and before all that will be.
   */
  decide(decision: Decision): void {
    this.#mark(this.#trackOf(decision.stream));
    this.#addDecision(decision);
  }

  /** The run begins with this state of a stream; called before anything is recorded. */
  resume(stream: string, { timeUs, checkpoint }: Keyframe): void {
    const track = this.#trackOf(stream);
    track.advanceTo(timeUs);
    this.#addControl("keyframe", stream, timeUs, checkpoint);
    this.#addWatermark(track);
  }

  /** Adds a map of a sensor's clock; for `ClockOptions.onMap`. */
  readonly addClockMap = (stream: string, sensor: string, map: ClockMap): void => {
    const time = Math.max(0, Math.round(map.mappedUs));
    this.#addControl("clock-map", stream, time, encodeClockMap(map), sensor);
  };

  /** Given while much waits to be written; see {@link RecordingOutput}. */
  get busy(): Promise<void> | undefined {
    return this.#output.busy;
  }

  /** What the output failed with; undefined as long as it works. */
  get failure(): unknown {
    return this.#output.failure;
  }

  /** Resolves when all that was recorded so far is on the disk. */
  flush(): Promise<void> {
    if (!this.#closed) this.#closeChunk();
    return this.#output.flush();
  }

  /**
   * Writes what a ring keeps now to a file, which resolves to the file's path.
   *
   * @throws {TypeError} if the recorder writes to files anyway
   */
  dump(): Promise<string> {
    if (this.#output.dump === undefined) {
      throw new TypeError("Cannot dump: the recorder writes everything to files");
    }
    if (!this.#closed) this.#closeChunk();
    return this.#output.dump();
  }

  /** Completes the recording. Rejects with what the output failed with. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closeChunk();
    this.#closed = true;
    this.#timer.unsubscribe();
    await this.#output.close(this.#isEnd ? "ended" : "goes on");
  }

  #trackOf(stream: string): StreamTrack {
    let track = this.#streams.get(stream);
    if (track === undefined) {
      track = new StreamTrack(stream);
      this.#streams.set(stream, track);
    }
    return track;
  }

  #touch(track: StreamTrack, range: EventRange): void {
    const whole = track.touch(range);
    if (whole !== undefined) this.#addRange(whole);
  }

  #addRange({ event, from, to, receivedUs }: EventRange<SensorEvent | Marker>): void {
    for (const item of itemsOf(event, from, to)) this.#add(item, receivedUs);
  }

  #add(item: StreamItem, receivedUs: TimeUs | undefined): void {
    if (receivedUs !== undefined) {
      this.#receivedUs = Math.max(receivedUs, this.#receivedUs ?? receivedUs);
    }
    this.#trackOf(item.stream).hasNews = true;
    this.#addMessage(
      this.#table.ofItem(item),
      item.seq % 2 ** 32,
      receivedUs ?? this.#nowUs(),
      item.timeUs,
      encodeItem(item, this.#memory),
    );
  }

  #addDecision(decision: Decision): void {
    this.#trackOf(decision.stream).hasNews = true;
    this.#addControl("decision", decision.stream, decision.timeUs, encodeDecision(decision));
  }

  #addControl(
    kind: ControlKind,
    stream: string,
    timeUs: TimeUs,
    data: Uint8Array,
    sensor?: string,
  ): void {
    const channel = this.#table.ofControl(kind, stream, sensor);
    this.#addMessage(channel, 0, this.#receivedUs ?? this.#nowUs(), timeUs, data);
  }

  #addMessage(
    channelId: number,
    sequence: number,
    logUs: TimeUs,
    publishUs: TimeUs,
    data: Uint8Array,
  ): void {
    if (this.#closed) throw new TypeError("Cannot record: the recorder is closed");
    const logTime = BigInt(logUs) * 1000n;
    const publishTime = BigInt(publishUs) * 1000n;
    this.#chunk.add({ channelId, sequence, logTime, publishTime, data });
  }

  /** Says how far the stream has come, and cuts the packets that lie across it. */
  #mark(track: StreamTrack): void {
    for (const range of track.cut()) this.#addRange(range);
    if (!track.hasNews || track.reachedUs === undefined) return;
    track.hasNews = false;
    this.#addWatermark(track);
  }

  #addWatermark({ stream, reachedUs }: StreamTrack): void {
    if (reachedUs === undefined) return;
    this.#addControl("watermark", stream, reachedUs, encodeWatermark(reachedUs));
  }

  #closeChunk(): void {
    for (const track of this.#streams.values()) this.#mark(track);
    const chunk = this.#chunk.close();
    if (chunk !== undefined) this.#output.append(chunk);
  }

  /** Between two ticks of every stream: the place for a keyframe. */
  #passWatermark(track: StreamTrack, timeUs: TimeUs): void {
    if (timeUs === Number.POSITIVE_INFINITY) {
      this.#endStream(track);
      return;
    }
    if (track.reachedUs === undefined || timeUs > track.reachedUs) track.hasNews = true;
    track.advanceTo(Math.max(0, timeUs));
    this.#keyframeDueUs ??= timeUs + this.#keyframeUs;
    if (timeUs < this.#keyframeDueUs && !this.#output.isFull(timeUs)) return;
    this.#keyframeDueUs = timeUs + this.#keyframeUs;
    this.#closeChunk();
    this.#output.beginSegment(timeUs);
    for (const each of this.#streams.values()) this.#addKeyframe(each);
  }

  /** The last state of a stream, by which a replay of the last segment is checked. */
  #endStream(track: StreamTrack): void {
    this.#isEnd = true;
    this.#mark(track);
    this.#addKeyframe(track);
  }

  /** A keyframe, and behind it the watermark at which it was taken. */
  #addKeyframe(track: StreamTrack): void {
    const checkpoint = this.#checkpoint(track.stream);
    if (checkpoint === undefined || track.reachedUs === undefined) return;
    this.#addControl("keyframe", track.stream, track.reachedUs, checkpoint);
    this.#addWatermark(track);
  }

  #nowUs(): TimeUs {
    return Math.round(this.#scheduler.now() * 1000);
  }
}

/**
 * A recorder that is ready to write: its first file is open.
 *
 * @throws {PolyphaseError} FAILED if it cannot be
 */
export async function createRecorder(options: RecorderOptions): Promise<Recorder> {
  await zstd.isLoaded;
  const recorder = new Recorder(options);
  await recorder.flush();
  // Nothing was recorded yet: closing can only say why nothing can be.
  if (recorder.failure !== undefined) await recorder.close();
  return recorder;
}
