import type { Random } from "../../sensors/random.ts";
import type { TimeUs } from "../../sensors/time.ts";
import type { SequenceWriter } from "../network/sequence-writer.ts";
import type { ModalityMasking } from "../tasks/train-task.ts";

/** Passes recordings on with a sensor missing in some of them, and events lost in all. */
export class MaskedWriter implements SequenceWriter {
  readonly #inner: SequenceWriter;
  readonly #masking: ModalityMasking;
  readonly #random: Random;
  /** Sensor that the recording at hand is without. */
  #absent: number;

  constructor(inner: SequenceWriter, masking: ModalityMasking, random: Random) {
    this.#inner = inner;
    this.#masking = masking;
    this.#random = random;
    this.#absent = this.#drawAbsent();
  }

  hasRoom(): boolean {
    return this.#inner.hasRoom();
  }

  event(timeUs: TimeUs, first: number, second: number): void {
    this.#inner.event(timeUs, first, second);
  }

  pixel(timeUs: TimeUs, address: number, on: number): void {
    this.#inner.pixel(timeUs, address, on);
  }

  item(sensor: number, timeUs: TimeUs, values: ArrayLike<number>): void {
    // Drawn for absent sensors too: what is lost of one does not depend on another.
    const isLost = this.#random.uniform() < (this.#masking.lost[sensor] ?? 0);
    if (isLost || sensor === this.#absent) return;
    this.#inner.item(sensor, timeUs, values);
  }

  read(target: number): void {
    this.#inner.read(target);
  }

  endRecording(): void {
    this.#inner.endRecording();
    this.#absent = this.#drawAbsent();
  }

  endSequence(target: number, readShare: number): void {
    this.#inner.endSequence(target, readShare);
    this.#absent = this.#drawAbsent();
  }

  #drawAbsent(): number {
    let rest = this.#random.uniform();
    return this.#masking.absent.findIndex((probability) => {
      rest -= probability;
      return rest < 0;
    });
  }
}
