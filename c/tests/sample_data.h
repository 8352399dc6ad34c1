/* Data to compress, the same every time on every machine. */
#ifndef CH_SAMPLE_DATA_H
#define CH_SAMPLE_DATA_H

#include <stdint.h>
#include <stdlib.h>

static uint32_t seed = 1;

static uint32_t random_number(uint32_t limit)
{
    seed = seed * 1664525u + 1013904223u;
    return (uint32_t)(((uint64_t)seed * limit) >> 32);
}

enum sample { ZEROS, NOISE, TEXT, RECORDS, COPIES, FEW, KINDS };

__attribute__((unused)) static void make_sample(uint8_t *data, size_t size, enum sample kind)
{
    static const char *const words[] = {"the ",     "image ",  "of ", "a ",       "layer ",
                                        "is ",      "pushed ", "to ", "registry", ".\n",
                                        "compress", "ed ",     "in "};
    for (size_t i = 0; i < size;) {
        switch (kind) {
        case ZEROS:
            data[i++] = 0;
            break;
        case NOISE:
            data[i++] = (uint8_t)random_number(256);
            break;
        case TEXT:
            for (const char *w = words[random_number(13)]; *w != '\0' && i < size; w++)
                data[i++] = (uint8_t)*w;
            break;
        case RECORDS: /* as tables in binaries: fields that count up, some noise */
            data[i] = i % 12 < 2 ? (uint8_t)(i / 12 >> i % 12 * 8) : (uint8_t)(i % 12 * 17);
            data[i] = (uint8_t)(data[i] + (i % 12 == 3 ? random_number(40) : 0));
            i++;
            break;
        case COPIES: /* of any length from any distance */
            if (i > 0 && random_number(4) != 0) {
                uint32_t distance = 1 + random_number(i > 40000 ? 40000 : (uint32_t)i);
                uint32_t length = 1 + random_number(random_number(8) == 0 ? 1000 : 20);
                for (; length > 0 && i < size; length--, i++)
                    data[i] = data[i - distance];
            } else {
                data[i++] = (uint8_t)random_number(256);
            }
            break;
        case FEW: /* different bytes, very uneven: the longest codes */
            data[i++] = (uint8_t)__builtin_clz(random_number(UINT32_MAX) | 1);
            break;
        case KINDS:
            abort();
        }
    }
}

#endif
