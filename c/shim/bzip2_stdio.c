/* Debian's libbz2.a is built for executables, not for shared libraries: it refers to stdout and
 * stderr in a way the linker can resolve only within the library it makes. So the shim has these
 * names itself, seen by nobody else; no function that we use prints, and a failed assertion in
 * libbz2 ends the process one way or the other. (This file must not include stdio.h. Executables,
 * the C tests, take the real ones.) */
#if defined(__PIC__) && !defined(__PIE__)
__attribute__((visibility("hidden"))) void *stdin, *stdout, *stderr;
#endif
