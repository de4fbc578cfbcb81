#include "jsonl.h"

#include <stdio.h>
#include <stdlib.h>

size_t jsonl_each(const char *path, void (*run)(void *arg, const json_t *line), void *arg) {
    FILE *f = fopen(path, "re");
    if (!f) {
        perror(path);
        abort();
    }
    char *text = NULL;
    size_t cap = 0, n = 0;
    while (getline(&text, &cap, f) > 0) {
        json_error_t error;
        json_t *line = json_loads(text, JSON_ALLOW_NUL, &error);
        n++;
        if (!line) {
            fprintf(stderr, "%s:%zu: %s\n", path, n, error.text);
            abort();
        }
        run(arg, line);
        json_decref(line);
    }
    free(text);
    fclose(f);
    return n;
}

static int digit_of(char c) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = c ? strchr(digits, c) : NULL;
    return at ? (int)(at - digits) : -1;
}

struct span jsonl_base64(const char *text) {
    static char pool[1 << 20];
    static size_t at;
    if (sizeof pool - at < strlen(text))
        at = 0;
    char *from = pool + at;
    unsigned bits = 0, n_bits = 0;
    for (; digit_of(*text) >= 0; text++) {
        bits = bits << 6 | (unsigned)digit_of(*text);
        n_bits += 6;
        if (n_bits >= 8) {
            n_bits -= 8;
            pool[at++] = (char)(bits >> n_bits);
        }
    }
    return span_of(from, (size_t)(pool + at - from));
}

struct span jsonl_bytes(const json_t *text) {
    if (json_is_string(text))
        return span_of(json_string_value(text), json_string_length(text));
    const char *base64 = json_string_value(json_object_get(text, "b64"));
    return base64 ? jsonl_base64(base64) : (struct span){NULL, 0};
}
