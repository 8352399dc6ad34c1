// Specifications of the Container Device Interface: files in which a vendor's tool writes what containers need for
// a device (https://github.com/cncf-tags/container-device-interface, SPEC.md). Of edits, what ch-run can do is
// taken; an edit of another kind is named, so that it can be told.

import { ChError } from "../error.ts";
import { JsonValue } from "../oci/json_value.ts";

export interface DeviceNode {
  /** In the container. */
  readonly path: string;
  readonly hostPath: string;
}

export interface DeviceMount {
  readonly hostPath: string;
  readonly containerPath: string;
  readonly isReadOnly: boolean;
}

export interface Edits {
  /** "NAME=VALUE" */
  readonly variables: readonly string[];
  readonly nodes: readonly DeviceNode[];
  readonly mounts: readonly DeviceMount[];
  /** Arguments of the hooks that run when a container is created. */
  readonly hooks: readonly (readonly string[])[];
}

export interface CdiSpec {
  readonly file: string;
  /** `vendor.com/class` */
  readonly kind: string;
  /** For whatever device of the file. */
  readonly edits: Edits;
  readonly devices: ReadonlyMap<string, Edits>;
}

/** VALUE is what JSON or YAML says. Throws a ChError. */
export function readSpec(value: unknown, file: string): CdiSpec {
  const spec = new JsonValue(file, "", value);
  const version = spec.member("cdiVersion").text();
  if (!/^(?:0|1)\.[0-9]+\.[0-9]+$/.test(version)) {
    throw new ChError(`${file}: unsupported CDI version: ${version}`);
  }
  const devices = new Map(
    spec.member("devices").items().map((device) =>
      [device.member("name").text(), readEdits(device.member("containerEdits"))] as const
    ),
  );
  const kind = spec.member("kind").text();
  return { file, kind, edits: readEdits(spec.member("containerEdits")), devices };
}

function readEdits(edits: JsonValue): Edits {
  const list = (key: string) =>
    edits.isPresent && edits.member(key).isPresent ? edits.member(key).items() : [];
  return {
    variables: list("env").map((entry) => entry.text()),
    nodes: list("deviceNodes").map((node) => {
      const path = absolute(node.member("path"));
      const host = node.member("hostPath");
      return { path, hostPath: host.isPresent ? absolute(host) : path };
    }),
    mounts: list("mounts").map((mount) => {
      const type = mount.member("type");
      if (type.isPresent && !["", "bind", "none"].includes(type.text())) {
        throw type.wrong(`not a mount that ch-run makes: ${type.text()}`);
      }
      const options = mount.member("options");
      return {
        hostPath: absolute(mount.member("hostPath")),
        containerPath: absolute(mount.member("containerPath")),
        isReadOnly: options.isPresent && options.texts().includes("ro"),
      };
    }),
    hooks: list("hooks").filter((hook) => CREATION.includes(hook.member("hookName").text()))
      .map((hook) => hook.member("args").isPresent ? hook.member("args").texts() : []),
  };
}

const CREATION = ["createContainer", "startContainer"];

function absolute(value: JsonValue): string {
  const path = value.text();
  if (!path.startsWith("/")) throw value.wrong(`not an absolute path: ${path}`);
  return path;
}
