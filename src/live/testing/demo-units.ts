/** The demo clip as tracks and units. */
import { AUDIO, FlvReader, firstTag, VIDEO } from "../../media/flv/tag.ts";
import { FlvToUnit } from "../../media/flv/to-unit.ts";
import type { Track, Unit } from "../../media/unit.ts";

export function demoUnits(file: Uint8Array): { readonly tracks: readonly Track[]; readonly units: readonly Unit[] } {
  const flv = new FlvToUnit();
  const reader = new FlvReader(file, firstTag(file));
  const tracks: Track[] = [];
  const units: Unit[] = [];
  while (reader.next()) {
    if (reader.type !== VIDEO && reader.type !== AUDIO) continue;
    flv.receive(reader.type, reader.timestamp, file.slice(reader.start, reader.end), 0);
    for (let event = flv.event(); event !== undefined; event = flv.event()) {
      if (event.kind === "track") tracks.push(event.track);
      else if (event.kind === "unit") units.push(event.unit);
    }
  }
  return { tracks, units };
}
