/* A tool that runs on the small engine, in init. */
#ifndef CH_ENGINE_H
#define CH_ENGINE_H

/* Runs the tool whose snapshot init carries: cli/start_small.ts. Ends the process. */
__attribute__((noreturn)) void engine_run(void);
/* Gives back what the engine holds; nothing of the script's is there afterwards. */
void engine_close(void);

/* Payloads of init (payloads.S). */
extern const char engine_snapshot[], engine_snapshot_end[];
extern const char engine_lines[], engine_lines_end[];

#endif
