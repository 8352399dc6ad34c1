// Lint plugin that keeps the layers apart (docs/architecture.md): imports go cli -> lib -> ffi and
// never up or in a circle, pointers stay in ffi/, and only cli/ talks to terminal, arguments and exit.

import { dirname, join } from "node:path/posix";

const LAYERS = ["ffi", "lib", "cli"] as const;
type Layer = typeof LAYERS[number];

/** What a layer may not touch of the global scope, and who may. */
const FORBIDDEN: readonly { readonly name: RegExp; readonly only: readonly Layer[] }[] = [
  { name: /^Deno\.(dlopen|Unsafe\w+)$/, only: ["ffi"] },
  { name: /^Deno\.(args|exit|stdout|stderr|stdin)$/, only: ["cli"] },
  { name: /^Deno\.env$/, only: ["cli", "ffi"] },
  { name: /^console$/, only: ["cli"] },
];

const plugin: Deno.lint.Plugin = {
  name: "layers",
  rules: {
    imports: { create: checkImports },
    globals: { create: checkGlobals },
  },
};
export default plugin;

function checkImports(context: Deno.lint.RuleContext): Deno.lint.LintVisitor {
  const place = findPlace(context.filename);
  if (place === undefined) return {};

  const check = (
    node: Deno.lint.Node,
    specifier: string | undefined,
    typeOnly: boolean,
  ): void => {
    if (specifier === undefined || !specifier.startsWith(".")) return;
    const target = join(dirname(place.path), specifier);
    if (target === "mod.ts") {
      context.report({ node, message: "mod.ts is for users from outside only" });
      return;
    }
    const layer = findLayer(target);
    if (layer === undefined) {
      context.report({ node, message: `${place.layer}/ may not import ${target}` });
    } else if (LAYERS.indexOf(layer) > LAYERS.indexOf(place.layer)) {
      context.report({ node, message: `${place.layer}/ may not import upwards from ${layer}/` });
    } else if (!typeOnly && reaches(target, place.path)) {
      context.report({ node, message: `import cycle: ${target} imports ${place.path} again` });
    }
  };

  return {
    ImportDeclaration: (node) => check(node, node.source.value, node.importKind === "type"),
    ExportNamedDeclaration: (node) => check(node, node.source?.value, node.exportKind === "type"),
    ExportAllDeclaration: (node) => check(node, node.source.value, node.exportKind === "type"),
    ImportExpression: (node) => {
      // Loaded when asked for, so a circle through it does no harm; the direction still counts.
      if (node.source.type === "Literal" && typeof node.source.value === "string") {
        check(node, node.source.value, true);
      }
    },
  };
}

function checkGlobals(context: Deno.lint.RuleContext): Deno.lint.LintVisitor {
  const place = findPlace(context.filename);
  if (place === undefined) return {};

  const check = (node: Deno.lint.Node, name: string): void => {
    for (const rule of FORBIDDEN) {
      if (rule.name.test(name) && !rule.only.includes(place.layer)) {
        context.report({ node, message: `${name} belongs into ${rule.only.join("/ or ")}/ only` });
      }
    }
  };

  return {
    MemberExpression(node) {
      if (node.object.type !== "Identifier") return;
      check(node, node.object.name);
      if (node.property.type === "Identifier") {
        check(node, `${node.object.name}.${node.property.name}`);
      }
    },
  };
}

interface Place {
  /** Relative to the root. */
  readonly path: string;
  readonly layer: Layer;
}

/** The tree is found from here, so that the rules hold in whatever directory a clone stands. */
const ROOT = new URL("..", import.meta.url).pathname;

/** Where a file stands; undefined outside the layers (tests, tools, mod.ts). */
function findPlace(filename: string): Place | undefined {
  if (!filename.startsWith(ROOT)) return undefined;
  const path = filename.slice(ROOT.length);
  const layer = findLayer(path);
  return layer && { path, layer };
}

function findLayer(path: string): Layer | undefined {
  return LAYERS.find((layer) => path.startsWith(layer + "/"));
}

/** Whether module FROM imports module TO, at first or second hand. */
function reaches(from: string, to: string, seen = new Set<string>()): boolean {
  if (from === to) return true;
  if (seen.has(from)) return false;
  seen.add(from);
  return readImports(from).some((next) => reaches(next, to, seen));
}

const importsOf = new Map<string, readonly string[]>();

/** The modules that PATH imports by value; none if it cannot be read. */
function readImports(path: string): readonly string[] {
  let imports = importsOf.get(path);
  if (imports === undefined) {
    imports = [
      ...readText(ROOT + path).matchAll(/^(?:import|export) (?!type )[^;]*?from "(\..*?)";/gm),
    ]
      .map((match) => join(dirname(path), match[1] as string));
    importsOf.set(path, imports);
  }
  return imports;
}

function readText(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "";
    throw error;
  }
}
