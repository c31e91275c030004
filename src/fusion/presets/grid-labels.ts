/** The 51 words of the GRID corpus (Cooke et al. 2006), slot by slot of its sentences. */
export const gridLabels: readonly string[] = [
  ...["bin", "lay", "place", "set"],
  ...["blue", "green", "red", "white"],
  ...["at", "by", "in", "with"],
  ..."abcdefghijklmnopqrstuvxyz",
  ...["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"],
  ...["again", "now", "please", "soon"],
];
