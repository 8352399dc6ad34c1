/* Build tool: evaluates a script on the small engine and writes the machine's state.
 *
 *   ch-snapshot SCRIPT.js NAME OUTPUT
 *
 * NAME is what stack traces call the script. */
#include "../machine.h"

/* Nothing of ours is called while a script is only evaluated. */
native_function native_find(const char *name)
{
    (void)name;
    return NULL;
}

static char *read_whole(const char *path, size_t *length)
{
    FILE *file = fopen(path, "r");
    char *text = NULL;
    size_t room = 0;

    *length = 0;
    while (file != NULL && !feof(file)) {
        room += 1 << 16;
        text = realloc(text, room);
        if (text == NULL)
            break;
        *length += fread(text + *length, 1, room - *length, file);
        if (ferror(file))
            return NULL;
    }
    if (file != NULL)
        fclose(file);
    return text;
}

int main(int argc, char **argv)
{
    size_t length;
    char *text = argc == 4 ? read_whole(argv[1], &length) : NULL;
    txMachine *machine = machine_new();
    FILE *to;

    if (text == NULL || machine == NULL) {
        fprintf(stderr, "usage: ch-snapshot SCRIPT.js NAME OUTPUT\n");
        return 1;
    }
    if (machine_evaluate(machine, text, length, argv[2]) < 0)
        return 1;
    to = fopen(argv[3], "w");
    if (to == NULL || machine_save(machine, to) < 0 || fclose(to) != 0) {
        fprintf(stderr, "ch-snapshot: can't write: %s\n", argv[3]);
        return 1;
    }
    return 0;
}
