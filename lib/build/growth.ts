// A stage's image while it grows: the state it is at, its tree in a scratch directory of the storage as
// soon as one is needed, and its name in the end. In a dry run there is no tree, and nothing is stored.

import type { State, StateKey } from "../cache/state_store.ts";
import { writeMetadata } from "../store/metadata_files.ts";
import { type Action, formatForHistory, type Prepared } from "./action.ts";
import type { Base } from "./base.ts";
import { executeAction } from "./execute.ts";
import { GrowingTree } from "./growing_tree.ts";
import type { Build } from "./request.ts";
import { RootEmulation } from "./root_emulation.ts";
import type { PlannedStage } from "./stages.ts";
import { StageState } from "./state.ts";
import { describeKey } from "./state_key.ts";
import { recordChanges } from "./record_changes.ts";

export class Growth implements Disposable {
  readonly state: StageState;
  readonly #stage: PlannedStage;
  readonly #build: Build;
  readonly #emulation: RootEmulation;
  /** What the tree is, or would be; undefined without a build cache. */
  #position: State | undefined;
  #tree: GrowingTree | undefined;
  /** Whether the metadata in the tree is behind `state`. */
  #isStale = true;

  private constructor(stage: PlannedStage, build: Build, base: Base) {
    this.#stage = stage;
    this.#build = build;
    this.#emulation = new RootEmulation(build.options.force);
    const { globalArg, platformArg } = stage;
    const { options: { dockerfile: { dialect } }, tools: { cache, caller } } = build;
    this.#position = cache.mode === "disabled" ? undefined : base.state;
    this.state = new StageState({
      base: base.metadata,
      caller,
      globalArg,
      platformArg,
      dialect,
    });
  }

  /** Throws a ChError; then nothing is left of it. */
  static async begin(stage: PlannedStage, base: Base, build: Build): Promise<Growth> {
    const growth = new Growth(stage, build, base);
    if (build.options.dryRun || build.tools.cache.mode !== "disabled") return growth;
    build.tools.log.info("copying image ...");
    growth.#tree = await GrowingTree.copy(stage, build);
    growth.#emulation.begin(growth.#tree.run, build.tools);
    return growth;
  }

  /** How many RUN commands root emulation changed. */
  get modified(): number {
    return this.#emulation.modified;
  }

  /** Identity of the state it is at; undefined without a build cache. */
  get sid(): string | undefined {
    return this.#position?.sid;
  }

  /** The known result of an instruction, or what it would have been known by. */
  lookUp(prepared: Prepared): { readonly key: StateKey; readonly hit: State | undefined } {
    const { options: { dockerfile }, tools: { cache } } = this.#build;
    const key = describeKey(prepared, this.#stage.globalArg, dockerfile.dialect);
    if (this.#position === undefined || this.#isFresh) return { key, hit: undefined };
    return { key, hit: cache.lookUp(this.#position, key, this.#stage.reference) };
  }

  /** Why {@linkcode lookUp} found nothing. */
  explain(key: StateKey): string {
    const { cache } = this.#build.tools;
    if (this.#isFresh) return "--no-cache-filter";
    if (this.#position === undefined) return `build cache mode: ${cache.mode}`;
    return cache.explainMiss(this.#position, key, this.#stage.reference);
  }

  /** Takes the known result of an instruction. */
  take(prepared: Prepared, hit: State): void {
    this.state.apply(prepared.action);
    this.state.takeHistory(hit.metadata);
    this.#position = hit;
    this.#isStale = true;
    // If there is a tree, it is not at that state.
    this.#tree?.[Symbol.dispose]();
    this.#tree = undefined;
  }

  /** Carries an instruction out, and remembers it. */
  async execute({ action, text }: Prepared, key: StateKey): Promise<void> {
    const { options: { dryRun }, tools } = this.#build;
    tools.signal.throwIfAborted();
    this.state.apply(action);
    const remember = () => this.state.addHistory(formatForHistory(text), tools.now());
    if (dryRun) return remember();
    if (this.#position === undefined) {
      if (action.op === "run" || action.op === "copy" || action.op === "rsync") {
        this.#saveMetadata(this.#tree!);
      }
      await this.#carryOut(action, this.#tree!);
      remember();
      this.#isStale = true;
      return;
    }
    const tree = await this.#materialize(this.#position);
    const { cache } = tools;
    this.#position = await recordChanges(action, key, this.#position, {
      tree,
      cache,
      state: this.state,
      directoryMode: tools.directoryMode,
      log: tools.log,
      remember,
      carryOut: (observed) => this.#carryOut(action, tree, observed),
    });
    cache.setUnready(this.#reference, this.#position);
    this.#isStale = false;
  }

  /** The image gets its name. */
  async commit(): Promise<void> {
    const { options: { dryRun }, finished, tools: { cache, signal } } = this.#build;
    signal.throwIfAborted();
    const metadata = this.state.toMetadata();
    finished.set(this.#stage.number, { metadata, state: this.#position });
    if (dryRun) return;
    if (this.#tree !== undefined) this.#tree.state = undefined;
    if (this.#position !== undefined) {
      return await cache.finish(this.#reference, this.#position, this.#tree?.image);
    }
    this.#saveMetadata(this.#tree!);
    this.#tree!.image.commit();
  }

  [Symbol.dispose](): void {
    this.#tree?.[Symbol.dispose]();
  }

  get #reference() {
    return this.#stage.reference;
  }

  /** Whether results of earlier builds are not wanted. */
  get #isFresh(): boolean {
    const { number, from: { alias } } = this.#stage;
    const fresh = this.#build.options.freshStages ?? [];
    return fresh.includes(String(number)) || (alias !== undefined && fresh.includes(alias));
  }

  /** The tree, which must be there before the first instruction is executed. */
  async #materialize(position: State): Promise<GrowingTree> {
    if (this.#tree !== undefined) return this.#tree;
    this.#build.tools.cache.setUnready(this.#reference, position);
    this.#tree = await GrowingTree.checkOut(position, this.#stage, this.#build);
    this.#emulation.begin(this.#tree.run, this.#build.tools);
    return this.#tree;
  }

  async #carryOut(action: Action, tree: GrowingTree, observed = tree.run): Promise<void> {
    const { tools } = this.#build;
    await executeAction(action, {
      tree: observed,
      state: this.state,
      emulation: this.#emulation,
      tools,
      directoryMode: tools.directoryMode,
    });
  }

  #saveMetadata(tree: GrowingTree): void {
    if (!this.#isStale) return;
    writeMetadata(tree.rootFd, this.state.toMetadata(), this.#build.tools.log);
    this.#isStale = false;
  }
}
