// The output of a conversion, found to be one that may be written, before anything is (spec ch-convert §5).

import { displayOsString } from "../../ffi/os_string.ts";
import { ChError } from "../error.ts";
import { type ImageReference, parseReference } from "../reference/reference.ts";
import { splitImageName } from "./image_name.ts";
import { storagePath } from "./image_source.ts";
import { checkDirectoryOutput, checkFileOutput, checkLayoutOutput } from "./output_check.ts";
import * as options from "./output_options.ts";
import type { DirectoryPlace } from "./replace_directory.ts";
import type { ConvertRequest } from "./request.ts";

export type Target =
  | { readonly format: "ch-image"; readonly reference: ImageReference }
  | { readonly format: "dir"; readonly place: DirectoryPlace }
  | { readonly format: "squash"; readonly path: string; readonly options: options.SquashOptions }
  | { readonly format: "tar"; readonly path: string; readonly options: options.TarOptions }
  | {
    readonly format: "docker" | "podman";
    readonly reference: string;
    readonly options: options.LayeredOptions;
  }
  | {
    readonly format: "docker-archive" | "oci-archive";
    readonly path: string;
    readonly name: string | undefined;
    readonly options: options.LayeredOptions;
  }
  | {
    readonly format: "oci";
    readonly place: DirectoryPlace;
    readonly name: string | undefined;
    readonly options: options.LayeredOptions;
  };

/** Throws a ChError if the output can't be written, or not as was wished. */
export async function checkOutput(request: ConvertRequest): Promise<Target> {
  const { output: { format, descriptor }, noClobber, wishes } = request;
  switch (format) {
    case "ch-image":
      options.refuseWishes(format, wishes);
      checkStoredImage(request);
      return { format, reference: parseReference(descriptor) };
    case "dir": {
      options.refuseWishes(format, wishes);
      const place = { path: descriptor, check: () => checkDirectoryOutput(descriptor, noClobber) };
      place.check();
      return { format, place };
    }
    case "squash":
      return {
        format,
        options: options.chooseSquashOptions(wishes),
        path: checkFileOutput(descriptor, noClobber),
      };
    case "tar":
      return {
        format,
        options: options.chooseTarOptions(descriptor, wishes),
        path: checkFileOutput(descriptor, noClobber),
      };
    case "docker":
    case "podman": {
      const layered = options.chooseLayeredOptions(format, wishes);
      await checkBuilderImage(format, request);
      return { format, reference: descriptor, options: layered };
    }
    case "docker-archive":
    case "oci-archive": {
      const { path, name } = splitImageName(descriptor);
      const layered = options.chooseLayeredOptions(format, wishes);
      return { format, path: checkFileOutput(path, noClobber), name, options: layered };
    }
    case "oci": {
      const { path, name } = splitImageName(descriptor);
      const layered = options.chooseLayeredOptions(format, wishes);
      const place = { path, check: () => checkLayoutOutput(path, noClobber) };
      place.check();
      return { format, place, name, options: layered };
    }
    default:
      return format satisfies never;
  }
}

/** To be asked again when no other build or conversion can make an image of that name. */
export function checkStoredImage(request: ConvertRequest): void {
  const { output: { descriptor }, noClobber } = request;
  if (!noClobber) return;
  try {
    Deno.lstatSync(storagePath(descriptor, request));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return;
    throw error;
  }
  throw existsIn("ch-image", descriptor);
}

async function checkBuilderImage(
  format: "docker" | "podman",
  request: ConvertRequest,
): Promise<void> {
  const { output: { descriptor }, noClobber } = request;
  if (/@/.test(descriptor)) {
    throw new ChError(`a digest is not a name for an image: ${displayOsString(descriptor)}`);
  }
  const builder = await request.findBuilder(format);
  if (noClobber && await builder.hasName(descriptor)) throw existsIn(builder.title, descriptor);
}

function existsIn(storage: string, descriptor: string): ChError {
  const name = displayOsString(descriptor);
  return new ChError(`exists in ${storage} storage, not deleting per --no-clobber: ${name}`);
}
