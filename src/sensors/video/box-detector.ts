import type { GreyPicture } from "./grey-picture.ts";

/** Where something was found, in pixels of the picture; it may reach out of it. */
export interface DetectedBox {
  readonly left: number;
  readonly top: number;
  /** Above `left` and `top`: pixels behind the last one. */
  readonly right: number;
  readonly bottom: number;
  /** As the detector puts it, mostly 0 to 1. */
  readonly confidence: number;
}

/** Finds a face, a mouth or whatever else it was made for. A function of the picture alone. */
export interface BoxDetector {
  /**
   * What finds it and how: goes into the crops' convention, so two detectors of one name must find
   * the same boxes.
   */
  readonly name: string;
  /** The one thing that is to be seen; undefined if there is none. */
  detect(picture: GreyPicture): Promise<DetectedBox | undefined>;
}
