// What the tests of ch-fromhost need: a Debian image, and programs and libraries to inject, made with the host's
// compiler.

import { rig, type Workplace } from "../rig.ts";

/** Unpacks Debian as "base". */
export async function unpackDebian(work: Workplace): Promise<void> {
  await work.must('mkdir base; tar -C base -xf "$1"', [rig.debianTar]);
}

/** A fresh image of the name: nothing that is done to it reaches the base, whose files are replaced, not written to. */
export async function freshImage(work: Workplace, name = "D"): Promise<void> {
  await work.must('chmod -R u+w "$1" 2>/dev/null || :; rm -rf "$1"; cp -al base "$1"', [name]);
}

/** `sotest/`: a program, the library it is linked with, and L, a list of both. */
export async function buildSotest(work: Workplace): Promise<void> {
  work.tree("sotest", {
    "bin/": "",
    "lib/": "",
    "lib.c": "int answer(void) { return 42; }\n",
    "sotest.c":
      '#include <stdio.h>\nint answer(void);\nint main(void) { printf("%d\\n", answer()); return 0; }\n',
  });
  await work.must(`
    cd sotest
    cc -shared -fPIC -Wl,-soname,libsotest.so.1 -o lib/libsotest.so.1.0 lib.c
    ln -s libsotest.so.1.0 lib/libsotest.so
    cc -o bin/sotest sotest.c -Llib -lsotest
    rm lib/libsotest.so
    cd ..
    printf 'sotest/bin/sotest\\nsotest/lib/libsotest.so.1.0\\n' >L`);
}

/** A shared library `PATH`, linked with LIBRARIES, of which empty ones are made beside it unless they exist. */
export async function buildLibrary(
  work: Workplace,
  path: string,
  libraries: readonly string[] = [],
): Promise<void> {
  await work.must(
    `path=$1; shift; directory=$(dirname "$path"); mkdir -p "$directory"
     echo 'int f(void) { return 0; }' >f.c
     for library; do
       [ -e "$directory/$library" ] ||
         cc -shared -fPIC -Wl,-soname,"$library" -o "$directory/$library" f.c
       set -- "$@" "$directory/$library"; shift
     done
     cc -shared -fPIC -Wl,--no-as-needed -Wl,-rpath,"$PWD/$directory" -o "$path" f.c "$@"`,
    [path, ...libraries],
  );
}
