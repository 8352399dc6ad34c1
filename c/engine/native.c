/* `native`, all that scripts see besides the language:
 *
 *   find(name)        a number for the C function NAME (functions.c)
 *   call(n, ...args)  calls it; numbers and bigints go as integers, views as addresses of their
 * bytes, null as NULL; returns its int32 encode(text)      UTF-8; a lone surrogate becomes U+FFFD
 *   decode(bytes, s)  text; not UTF-8: undefined if S is true, else with U+FFFD
 */
#include "machine.h"

#define ARGUMENTS_MAX 8

static int argument_count(txMachine *the)
{
    return mxArgc;
}

/* Address of the bytes that SLOT views, and how many. Good until something is allocated. */
static void *bytes_of(txMachine *the, txSlot *slot, size_t *length)
{
    txSlot *internal = slot->kind == XS_REFERENCE_KIND ? slot->value.reference->next : NULL;
    txSlot *view, *buffer;

    if (internal != NULL && internal->kind == XS_ARRAY_BUFFER_KIND) {
        *length = (size_t)internal->next->value.bufferInfo.length;
        return internal->value.arrayBuffer.address;
    }
    if (internal == NULL || internal->kind != XS_TYPED_ARRAY_KIND)
        mxTypeError("native: neither a number nor bytes");
    view = internal->next;
    buffer = view->next->value.reference->next;
    *length = (size_t)view->value.dataView.size;
    return buffer->value.arrayBuffer.address + view->value.dataView.offset;
}

static int64_t integer_of(txMachine *the, txSlot *slot)
{
    size_t length;

    switch (slot->kind) {
    case XS_INTEGER_KIND:
        return slot->value.integer;
    case XS_NUMBER_KIND:
        return (int64_t)slot->value.number;
    case XS_BOOLEAN_KIND:
        return slot->value.boolean;
    case XS_BIGINT_KIND:
    case XS_BIGINT_X_KIND:
        return (int64_t)fxToBigUint64(the, slot);
    case XS_NULL_KIND:
    case XS_UNDEFINED_KIND:
        return 0;
    default:
        return (int64_t)(intptr_t)bytes_of(the, slot, &length);
    }
}

static native_function found[64];
static int found_count;

static void native_find_function(txMachine *the)
{
    const char *name = fxToString(the, mxArgv(0));
    native_function function = native_find(name);

    if (function == NULL || found_count == (int)(sizeof(found) / sizeof(found[0])))
        mxTypeError("native: no such function: %s", name);
    found[found_count] = function;
    fxInteger(the, mxResult, found_count++);
}

static void native_call(txMachine *the)
{
    int64_t a[ARGUMENTS_MAX] = {0};
    int count = argument_count(the) - 1;
    int index = (int)integer_of(the, mxArgv(0));

    if (index < 0 || index >= found_count || count > ARGUMENTS_MAX)
        mxTypeError("native: no such call");
    for (int i = 0; i < count; i++)
        a[i] = integer_of(the, mxArgv(i + 1));
    fxInteger(the, mxResult, found[index](a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7]));
}

/* -- text: XS keeps it as CESU-8, with two bytes for NUL --------------------------------------- */

static const unsigned char replacement[3] = {0xef, 0xbf, 0xbd};

static unsigned decode_three(const unsigned char *p)
{
    return (unsigned)(p[0] & 0xf) << 12 | (unsigned)(p[1] & 0x3f) << 6 | (p[2] & 0x3f);
}

static int is_surrogate(const unsigned char *p, unsigned kind)
{
    return p[0] == 0xed && (p[1] & 0xf0) == kind;
}

/* UTF-8 of the text FROM at TO, which has as much room. */
static size_t write_utf8(unsigned char *to, const unsigned char *from, size_t length)
{
    const unsigned char *end = from + length;
    unsigned char *at = to;

    while (from < end) {
        if (from[0] == 0xc0 && from[1] == 0x80) {
            *at++ = 0;
            from += 2;
        } else if (is_surrogate(from, 0xa0) && from + 3 < end && is_surrogate(from + 3, 0xb0)) {
            unsigned code =
                0x10000 + ((decode_three(from) & 0x3ff) << 10 | (decode_three(from + 3) & 0x3ff));
            *at++ = (unsigned char)(0xf0 | code >> 18);
            *at++ = (unsigned char)(0x80 | (code >> 12 & 0x3f));
            *at++ = (unsigned char)(0x80 | (code >> 6 & 0x3f));
            *at++ = (unsigned char)(0x80 | (code & 0x3f));
            from += 6;
        } else if (is_surrogate(from, 0xa0) || is_surrogate(from, 0xb0)) {
            memcpy(at, replacement, 3);
            at += 3;
            from += 3;
        } else {
            *at++ = *from++;
        }
    }
    return (size_t)(at - to);
}

static void native_encode(txMachine *the)
{
    size_t length = (size_t)mxStringLength(fxToString(the, mxArgv(0)));
    unsigned char *bytes = malloc(length + 1);

    if (bytes == NULL)
        mxUnknownError("out of memory");
    length = write_utf8(bytes, (const unsigned char *)mxArgv(0)->value.string, length);
    fxArrayBuffer(the, mxResult, bytes, (txInteger)length, -1);
    free(bytes);
}

/* Length of the well-formed sequence at P (RFC 3629); 0 if there is none. */
static size_t sequence_length(const unsigned char *p, size_t left)
{
    size_t length = p[0] < 0x80   ? 1
                    : p[0] < 0xc2 ? 0
                    : p[0] < 0xe0 ? 2
                    : p[0] < 0xf0 ? 3
                    : p[0] < 0xf5 ? 4
                                  : 0;

    if (length > left)
        return 0;
    for (size_t i = 1; i < length; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] >= 0xa0) ||
        (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] >= 0x90))
        return 0;
    return length;
}

static unsigned char *write_surrogate(unsigned char *at, unsigned code)
{
    *at++ = 0xed;
    *at++ = (unsigned char)(0x80 | (code >> 6 & 0x3f));
    *at++ = (unsigned char)(0x80 | (code & 0x3f));
    return at;
}

/* The text of FROM at TO, which has three times the room. NULL if it is no UTF-8 and must be. */
static unsigned char *write_cesu8(unsigned char *to, const unsigned char *from, size_t length,
                                  int strict)
{
    for (size_t at = 0; at < length;) {
        const unsigned char *p = from + at;
        size_t n = sequence_length(p, length - at);

        if (n == 0 && strict)
            return NULL;
        if (n == 0) {
            memcpy(to, replacement, 3);
            to += 3;
        } else if (n == 4) {
            unsigned code = ((unsigned)(p[0] & 7) << 18 | (unsigned)(p[1] & 0x3f) << 12 |
                             (unsigned)(p[2] & 0x3f) << 6 | (p[3] & 0x3f)) -
                            0x10000;
            to = write_surrogate(to, 0xd800 | code >> 10);
            to = write_surrogate(to, 0xdc00 | (code & 0x3ff));
        } else if (p[0] == 0) {
            *to++ = 0xc0;
            *to++ = 0x80;
        } else {
            memcpy(to, p, n);
            to += n;
        }
        at += n == 0 ? 1 : n;
    }
    *to = '\0';
    return to;
}

static void native_decode(txMachine *the)
{
    size_t length;
    const unsigned char *bytes = bytes_of(the, mxArgv(0), &length);
    unsigned char *text = malloc(3 * length + 1);
    int strict = argument_count(the) > 1 && fxToBoolean(the, mxArgv(1));

    if (text == NULL)
        mxUnknownError("out of memory");
    if (write_cesu8(text, bytes, length, strict) == NULL)
        *mxResult = mxUndefined;
    else
        fxString(the, mxResult, (txString)text);
    free(text);
}

/* -- the object ------------------------------------------------------------------------------- */

const txCallback native_callbacks[] = {native_find_function, native_call, native_encode,
                                       native_decode};
const int native_callback_count = sizeof(native_callbacks) / sizeof(native_callbacks[0]);

static const char *const names[] = {"find", "call", "encode", "decode"};

/* Sets property NAME of the object in OBJECT, a slot of the stack, to what is on top, and drops
 * that. */
static void set_property(txMachine *the, txSlot *object, const char *name)
{
    mxPushSlot(object);
    mxSetID(fxID(the, (txString)name));
    mxPop();
}

void native_define(txMachine *the)
{
    txSlot *object;

    mxPush(mxObjectPrototype);
    fxNewObjectInstance(the);
    object = the->stack;
    for (int i = 0; i < native_callback_count; i++) {
        fxNewHostFunction(the, native_callbacks[i], 1, XS_NO_ID, XS_NO_ID);
        set_property(the, object, names[i]);
    }
    set_property(the, &mxGlobal, "native");
}
