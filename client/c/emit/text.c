#include "emit/text.h"

#include "emit/utf8.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool reserve(struct text *text, size_t size) {
    if (text->failed || size > text->max - text->size) {
        text->failed = true;
        return false;
    }
    size_t need = text->size + size + 1;
    if (need <= text->cap)
        return true;
    size_t cap = text->cap ? text->cap : 256;
    while (cap < need)
        cap *= 2;
    char *bytes = realloc(text->bytes, cap);
    if (!bytes) {
        text->failed = true;
        return false;
    }
    text->bytes = bytes;
    text->cap = cap;
    return true;
}

void text_put(struct text *text, const void *bytes, size_t size) {
    if (!reserve(text, size))
        return;
    if (size > 0)
        memcpy(text->bytes + text->size, bytes, size);
    text->size += size;
    text->bytes[text->size] = '\0';
}

void text_puts(struct text *text, const char *string) {
    text_put(text, string, strlen(string));
}

void text_printf(struct text *text, const char *format, ...) {
    char line[1024];
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    if (size < 0 || (size_t)size >= sizeof line)
        text->failed = true;
    else
        text_put(text, line, (size_t)size);
}

static void put_json_byte(struct text *text, unsigned char c) {
    static const char named[] = "\b\f\n\r\t\"\\", letters[] = "bfnrt\"\\";
    const char *at = c ? strchr(named, c) : NULL;
    if (at) {
        char escape[2] = {'\\', letters[at - named]};
        text_put(text, escape, 2);
    } else if (c < 0x20 || c == 0x7f) {
        text_printf(text, "\\u%04x", c);
    } else {
        text_put(text, &c, 1);
    }
}

void text_put_json(struct text *text, const char *bytes, size_t size) {
    text_put(text, "\"", 1);
    for (size_t i = 0; i < size;) {
        size_t n = utf8_bytes(bytes + i, size - i);
        if (n == 0)
            text_put(text, "\xef\xbf\xbd", 3);
        else if (n == 1)
            put_json_byte(text, (unsigned char)bytes[i]);
        else
            text_put(text, bytes + i, n);
        i += n ? n : 1;
    }
    text_put(text, "\"", 1);
}

void text_free(struct text *text) {
    free(text->bytes);
    *text = (struct text){.max = text->max};
}
