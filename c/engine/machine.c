/* See machine.h. */
#include "machine.h"

#define SIGNATURE "ch"

/* What the machine has room for at first. It grows; but nothing of ours should make it collect. */
static const txCreation sizes = {
    .initialChunkSize = 1 << 18,
    .incrementalChunkSize = 1 << 18,
    .initialHeapCount = 16384,
    .incrementalHeapCount = 8192,
    .stackCount = 4096,
    .initialKeyCount = 2048,
    .incrementalKeyCount = 1024,
    .nameModulo = 1993,
    .symbolModulo = 127,
    .parserBufferSize = 1 << 18,
    .parserTableModulo = 1993,
};

static void report_exception(txMachine *the)
{
    mxPush(mxException);
    mxGetID(fxFindName(the, (txString) "stack"));
    if (the->stack->kind == XS_UNDEFINED_KIND)
        *the->stack = mxException;
    fprintf(stderr, "small engine: %s\n", fxToString(the, the->stack));
    mxPop();
}

/* -- what XS calls ---------------------------------------------------------------------------- */

void fxAbort(txMachine *the, int status)
{
    (void)status;
    report_exception(the);
    _exit(31);
}

void fxCreateMachinePlatform(txMachine *the)
{
    the->hasPromiseJobs = 0;
}

void fxDeleteMachinePlatform(txMachine *the)
{
    (void)the;
}

void fxQueuePromiseJobs(txMachine *the)
{
    the->hasPromiseJobs = 1;
}

/* Half a megabyte is less than any stack that a program is started with. */
char *fxCStackLimit(void)
{
    return (char *)__builtin_frame_address(0) - (512 << 10);
}

/* There is one script, and no modules. */
txID fxFindModule(txMachine *the, txSlot *realm, txID id, txSlot *slot)
{
    (void)the, (void)realm, (void)id, (void)slot;
    return XS_NO_ID;
}

void fxLoadModule(txMachine *the, txSlot *module, txID id)
{
    (void)the, (void)module, (void)id;
}

/* -- snapshots -------------------------------------------------------------------------------- */

static txSnapshot describe_snapshot(void *stream)
{
    return (txSnapshot){
        .signature = (char *)SIGNATURE,
        .signatureLength = sizeof(SIGNATURE) - 1,
        .callbacks = (txCallback *)native_callbacks,
        .callbacksLength = native_callback_count,
        .stream = stream,
    };
}

static int write_part(void *stream, void *part, size_t length)
{
    return fwrite(part, 1, length, stream) == length ? 0 : EIO;
}

struct cursor {
    const char *at;
    const char *end;
};

static int read_part(void *stream, void *part, size_t length)
{
    struct cursor *cursor = stream;

    if ((size_t)(cursor->end - cursor->at) < length)
        return EIO;
    memcpy(part, cursor->at, length);
    cursor->at += length;
    return 0;
}

txMachine *machine_new(void)
{
    txCreation creation = sizes;
    txMachine *the = fxCreateMachine(&creation, (txString) "ch", NULL, 0);

    if (the == NULL)
        return NULL;
    the = fxBeginHost(the);
    native_define(the);
    fxEndHost(the);
    return the;
}

int machine_save(txMachine *machine, FILE *to)
{
    txSnapshot snapshot = describe_snapshot(to);

    snapshot.write = write_part;
    return fxWriteSnapshot(machine, &snapshot) && snapshot.error == 0 ? 0 : -1;
}

txMachine *machine_restore(const void *bytes, size_t length)
{
    struct cursor cursor = {.at = bytes, .end = (const char *)bytes + length};
    txSnapshot snapshot = describe_snapshot(&cursor);

    snapshot.read = read_part;
    return fxReadSnapshot(&snapshot, (txString) "ch", NULL);
}

/* -- running ---------------------------------------------------------------------------------- */

/* As fxParseScript(), but with the place of each statement, for stack traces. */
static txScript *parse(txMachine *the, txStringCStream *stream, const char *name)
{
    txParser parser;
    txParserJump jump;
    txScript *volatile script = NULL;

    fxInitializeParser(&parser, the, the->parserBufferSize, the->parserTableModulo);
    parser.firstJump = &jump;
    if (c_setjmp(jump.jmp_buf) == 0) {
        fxParserTree(&parser, stream, fxStringCGetter, mxProgramFlag, NULL);
        parser.flags |= mxDebugFlag;
        parser.source = fxNewParserSymbol(&parser, (txString)name);
        fxParserHoist(&parser);
        fxParserBind(&parser);
        script = fxParserCode(&parser);
    }
    fxTerminateParser(&parser);
    return script;
}

int machine_evaluate(txMachine *machine, const char *text, size_t length, const char *name)
{
    txStringCStream stream = {.buffer = (char *)text, .offset = 0, .size = (txSize)length};
    volatile int result = -1;
    txMachine *the = fxBeginHost(machine);

    mxTry(the)
    {
        txSlot *program = mxProgram.value.reference;
        txSlot *realm = program->next->value.module.realm;

        fxRunScript(the, parse(the, &stream, name), mxRealmGlobal(realm), C_NULL,
                    mxRealmClosures(realm)->value.reference, C_NULL, program);
        mxPop();
        result = 0;
    }
    mxCatch(the)
    {
        report_exception(the);
    }
    fxEndHost(the);
    return result;
}

static void call_global(txMachine *the, const char *name)
{
    mxPush(mxGlobal);
    mxDub();
    mxGetID(fxFindName(the, (txString)name));
    mxCall();
    mxRunCount(0);
    mxPop();
}

int machine_call(txMachine *machine, const char *name)
{
    volatile int result = -1;
    txMachine *the = fxBeginHost(machine);

    mxTry(the)
    {
        call_global(the, name);
        result = 0;
    }
    mxCatch(the)
    {
        report_exception(the);
    }
    fxEndHost(the);
    while (result == 0 && machine->hasPromiseJobs) {
        machine->hasPromiseJobs = 0;
        fxRunPromiseJobs(machine);
        fxEndJob(machine);
    }
    the = fxBeginHost(machine);
    fxCheckUnhandledRejections(the, 1); /* of which there should be none: it reports and exits */
    fxEndHost(the);
    return result;
}
