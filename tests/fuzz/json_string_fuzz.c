/* JSON strings: whatever the bytes, jansson reads them back; bytes that are valid UTF-8 come back as they
 * were. */
#include "core/json.h"
#include "core/utf8.h"

#include <jansson.h>
#include <stdlib.h>

#define CHECK(condition)                                                                                     \
    do {                                                                                                     \
        if (!(condition))                                                                                    \
            abort();                                                                                         \
    } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    char *bytes = malloc(n ? n : 1);
    CHECK(bytes);
    if (n)
        memcpy(bytes, data, n);
    struct span text = span_of(bytes, n);
    bool valid = utf8_valid(text);

    struct buf b = {0};
    json_put_string(&b, text);
    json_t *value = json_loadb(b.p, b.n, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    CHECK(json_is_string(value));
    struct span back = span_of(json_string_value(value), json_string_length(value));
    CHECK(utf8_valid(back) && (span_eq(back, text) == valid));
    json_decref(value);

    buf_clear(&b);
    json_put_string_raw(&b, text);
    value = json_loadb(b.p, b.n, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    CHECK((value != NULL) == valid);
    json_decref(value);

    buf_clear(&b);
    json_put_base64(&b, text);
    CHECK(b.n == (n + 2) / 3 * 4 + 2);
    buf_free(&b);
    free(bytes);
    return 0;
}
