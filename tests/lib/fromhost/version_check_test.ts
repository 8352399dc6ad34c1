import assert from "node:assert/strict";
import { describeMisfit, remedyFor } from "../../../lib/fromhost/version_check.ts";

Deno.test("a misfit names file, versions and library, and what to do", () => {
  const misfit = {
    file: "/usr/bin/nvidia-smi",
    library: "libc.so.6",
    path: "/lib64/libc.so.6",
    versions: ["GLIBC_2.34", "GLIBC_2.38"],
  };
  assert.equal(
    describeMisfit(misfit),
    "/usr/bin/nvidia-smi needs GLIBC_2.34, GLIBC_2.38 of libc.so.6, which the image's /lib64/libc.so.6 lacks",
  );
  assert.match(remedyFor(misfit), /glibc 2\.38 or newer/);
  const stdcpp = { ...misfit, library: "libstdc++.so.6", versions: ["GLIBCXX_3.4.32"] };
  assert.match(remedyFor(stdcpp), /newer libstdc\+\+\.so\.6 in the image, or inject the host's/);
});
