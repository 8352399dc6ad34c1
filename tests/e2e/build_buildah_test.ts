// The same Dockerfiles built by ch-image and by buildah, under Docker's rules: the same files and the same
// configuration come out. Left out is where buildah is not Docker: CMD in another SHELL, stages whose name
// is written in another case; and that VOLUME makes directories here already.

import assert from "node:assert/strict";
import { expect, test } from "../rig.ts";

const CASES: Readonly<Record<string, string>> = {
  "ENV and ARG": `ARG image=base
FROM $image
ARG a=1
ARG b=$a-x
ENV A=$a B="two words" C=\${b:-none} D=\${nosuch:-def} E=\${a:+alt}
ENV P=/p:$PATH
ENV OLD style value
RUN echo "$A|$B|$C|$D|$E|$OLD" >/f`,
  "COPY of files, directories and patterns": `FROM base
COPY one /a
COPY one two /dir/
COPY sub /sub
COPY sub/ /into/
COPY *.txt /txt/
COPY ["with space", "/sp/"]
COPY . /all`,
  "COPY over what is there": `FROM base
RUN mkdir -p /d/in && echo old >/d/x && echo keep >/d/keep
COPY sub /d
COPY one /d/keep`,
  "COPY --chmod": `FROM base
COPY --chmod=0640 one /one
COPY --chmod=755 one two /d/`,
  "ADD unpacks": `FROM base
ADD a.tar.gz /to/
ADD a.tar.gz one /both/
COPY a.tar.gz /raw/`,
  "WORKDIR": `FROM base
WORKDIR /w
WORKDIR rel/deeper
ENV D=/env
WORKDIR $D/x
RUN pwd >here
COPY one ./
COPY one name`,
  "stages": `FROM base AS Build
RUN mkdir /out && echo made >/out/bin && ln -s bin /out/link && chmod 700 /out/bin
FROM base AS unused
RUN false
FROM base
COPY --from=Build /out /opt
COPY --from=0 /out/bin /one`,
  "CMD and ENTRYPOINT": `FROM base
CMD ["a", "b"]
ENTRYPOINT ["/e"]
CMD ["c"]`,
  "CMD in shell form": `FROM base
CMD echo hi $HOME`,
  "all of the configuration": `FROM base
EXPOSE 80 443/tcp 53/udp
VOLUME /root /usr
USER 1000:100
STOPSIGNAL SIGINT
LABEL a=b c="d e" f=\${PATH:+set}
HEALTHCHECK --interval=5s --retries=3 CMD ["/check"]`,
  "SHELL": `FROM base
SHELL ["/bin/sh", "-ec"]
RUN false || echo no >/f; echo yes >>/f`,
  "files removed, replaced and linked": `FROM base
RUN echo 1 >/f && mkdir -p /d/e && touch /d/e/g && ln /f /hard
RUN rm -r /d && ln -s /f /d && rm /etc/group && mkdir /etc/group && chmod 4755 /bin/busybox`,
  "continued lines and comments": `# a comment
FROM base
RUN echo one \\
  # in between
  two \\

  three >/f
# another
ENV A=1 \\
    B=2`,
  ".dockerignore": `FROM base
COPY . /all`,
};

const CONTEXT = {
  one: "1",
  two: { content: "2", mode: 0o755 },
  "sub/x": "x",
  "sub/deep/y": "y",
  "sub/link": { link: "x" },
  "a.txt": "a",
  "b.txt": "b",
  "with space": "s",
  "pack/in": "in",
  "pack/exe": { content: "exe", mode: 0o750 },
} as const;

/** What both have besides, and what is the tools' own. */
const LIST =
  `cd "$1"; { find . -mindepth 1 \\( -path ./ch -o -path ./dev -o -path ./proc -o -path ./sys \
-o -path ./tmp -o -path ./run -o -path ./etc/hosts -o -path ./etc/resolv.conf \
-o -path ./etc/machine-id -o -path ./etc/hostname -o -path './mnt/*' \\) -prune -o -mindepth 1 -printf '%P %y %m %l\\n' | sort
find . -type f ! -path './ch/*' ! -path ./bin/busybox ! -path ./etc/hosts ! -path ./etc/resolv.conf \
! -path ./etc/machine-id ! -path ./etc/hostname -exec md5sum {} + | sort -k2; }`;

const BUILDAH = `set -e; cd "$1"; export BUILDAH_ISOLATION=chroot STORAGE_DRIVER=vfs
b() { buildah --root "$1/b/r" --runroot "$1/b/rr" "$@"; }`;

test(
  "ch-image build makes of Dockerfiles what buildah makes of them",
  async (work) => {
    const image = work.image();
    work.tree("context", { ...CONTEXT });
    await work.must("cd context; tar -czf a.tar.gz -C pack .; rm -r pack");
    await work.must('ch-image import "$1" base; tar -cf base.tar -C "$1" .', [image]);
    const buildah = (script: string, ...args: string[]) =>
      work.must(
        `${
          BUILDAH.replace('"$@"; }', '"$@"; }').replaceAll('"$1/b', `"${work.path}/b`)
        }\n${script}`,
        [
          work.path,
          ...args,
        ],
        { root: true, limit: 300_000 },
      );
    await buildah(
      "mkdir base; mv base.tar base/; printf 'FROM scratch\\nADD base.tar /\\n' >base/Dockerfile\n" +
        "b bud -q -t base base >/dev/null",
    );
    const differences: string[] = [];
    const check = (name: string, ours: unknown, theirs: unknown) => {
      try {
        assert.deepEqual(ours, theirs);
      } catch (error) {
        differences.push(`${name}: ${(error as Error).message}`);
      }
    };
    for (const [name, text] of Object.entries(CASES)) {
      const ignore = name === ".dockerignore" ? "# c\n*.txt\n!b.txt\nsub/deep\n**/link\n" : "";
      work.tree("context", {
        Dockerfile: `# syntax=docker/dockerfile:1\n${text}\n`,
        ".dockerignore": ignore,
      });
      expect(await work.run(["ch-image", "build", "-t", "t", "context"]), { code: 0 });
      const ours = await work.must(LIST, [`${work.path}/storage/img/t`]);
      const [theirs, config] =
        (await buildah(`b bud -q --format docker --pull-never -t t context >/dev/null 2>log || {
cat log >&2; exit 1; }
c=$(b from --pull-never t); m=$(b mount $c); (set -- "$m"; ${LIST}); echo ====
b inspect --type image t; b rm $c >/dev/null`)).split("====\n");
      check(name, ours, theirs!);
      const metadata = JSON.parse(
        Deno.readTextFileSync(`${work.path}/storage/img/t/ch/metadata.json`),
      );
      check(name, readOurs(metadata), readTheirs(JSON.parse(config!)));
    }
    assert.deepEqual(differences, []);
  },
  "root",
  "buildah",
);

type Json = Record<string, unknown>;

/** Without what is empty, variables sorted. */
function tidy(config: Json): Json {
  return Object.fromEntries(
    Object.entries(config).filter(([, value]) =>
      value !== undefined && value !== null && value !== "" && value !== "/" &&
      Object.keys(value as Json).length > 0
    ),
  );
}

function readOurs(metadata: Json): Json {
  const { env, labels, cwd, volumes, config } = metadata as Record<string, Json>;
  const { Cmd, Entrypoint, ExposedPorts, Healthcheck, StopSignal, User } = config ?? {};
  return tidy({
    Env: Object.entries(env!).map(([name, value]) => `${name}=${value}`).sort(),
    Labels: labels,
    WorkingDir: cwd,
    Volumes: (volumes as unknown as string[]).toSorted(),
    ...{ Cmd, Entrypoint, ExposedPorts, Healthcheck, StopSignal, User },
  });
}

/** It gives one to images made from scratch. */
const DEFAULT_PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

function readTheirs({ Docker }: Json): Json {
  const { Env, Labels, WorkingDir, Volumes, ...rest } = (Docker as { config: Json })
    .config as Record<string, Json>;
  const { Cmd, Entrypoint, ExposedPorts, Healthcheck, StopSignal, User } = rest;
  const { "io.buildah.version": _, ...labels } = Labels ?? {};
  return tidy({
    Env: (Env as unknown as string[]).filter((pair) => pair !== DEFAULT_PATH).sort(),
    Labels: labels,
    WorkingDir,
    Volumes: Object.keys(Volumes ?? {}).sort(),
    ...{ Cmd, Entrypoint, ExposedPorts, Healthcheck, StopSignal, User },
  });
}
