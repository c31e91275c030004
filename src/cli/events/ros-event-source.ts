import { parseRosEventPacket } from "../../sensors/dvs/codecs/ros/event-packet.ts";
import { RosEventDecoder } from "../../sensors/dvs/codecs/ros/ros-event-decoder.ts";
import type { DecodedDvsPacket } from "../../sensors/dvs/codecs/stream/packet-builder.ts";
import { PolyphaseError } from "../../sensors/polyphase-error.ts";
import type { DecoderReport, EventSource } from "./event-source.ts";

/** True for the ROS message types of event packets, current and older. */
export function isRosEventType(name: string): boolean {
  return /^event_(camera|array)_msgs\/(msg\/)?Event(Packet|Array)$/.test(name);
}

/** One serialized message and where it lies. */
export interface ContainedMessage {
  readonly data: Uint8Array;
  /** E.g. "message 5 of /event_camera/events". */
  readonly place: string;
}

/** ROS EventPackets from a container. */
export class RosEventSource implements EventSource {
  readonly path: string;
  readonly #container: string;
  readonly #messages: AsyncGenerator<ContainedMessage, void, void>;
  readonly #decoder = new RosEventDecoder();
  #encoding: string | undefined;

  constructor(
    path: string,
    container: string,
    messages: AsyncGenerator<ContainedMessage, void, void>,
  ) {
    this.path = path;
    this.#container = container;
    this.#messages = messages;
  }

  get format(): string {
    return this.#encoding === undefined ? this.#container : `${this.#container}/${this.#encoding}`;
  }

  get report(): DecoderReport {
    return this.#decoder;
  }

  async *packets(): AsyncGenerator<DecodedDvsPacket, void, void> {
    for await (const message of this.#messages) {
      this.#push(message);
      for (;;) {
        const packet = this.#decoder.next();
        if (packet === undefined) break;
        yield packet;
      }
    }
  }

  #push({ data, place }: ContainedMessage): void {
    try {
      const packet = parseRosEventPacket(data);
      this.#encoding ??= packet.encoding;
      this.#decoder.push(packet);
    } catch (error) {
      throw located(this.path, place, error);
    }
  }
}

/** The error of a message, with the file and the message. */
export function located(path: string, place: string, error: unknown): unknown {
  if (!(error instanceof PolyphaseError)) return error;
  const message = `Cannot read ${path}: ${place}: ${error.message}`;
  return new PolyphaseError(error.code, message, { cause: error });
}
