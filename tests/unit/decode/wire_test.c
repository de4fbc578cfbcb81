/* The cursor on the protobuf wire: every encoding of a field that Go's reader takes, every damage it refuses; each
 * input ends at an unmapped page.
 */
#include "decode/intake/wire.h"

#include "guard.h"
#include "unit.h"

#include <stdio.h>

/* As SPAN, for what is static. */
#define BYTES(literal)                                                                                       \
    { literal, sizeof(literal) - 1 }

/* --- one field ------------------------------------------------------------------------------------------- */

static const struct {
    struct span input;
    uint32_t number;
    enum wire_type type;
    uint64_t value;
    const char *bytes;
} good[] = {
    {BYTES("\x08\x00"), 1, WIRE_VARINT, 0, NULL},
    {BYTES("\x08\x96\x01"), 1, WIRE_VARINT, 150, NULL},
    {BYTES("\x88\x80\x00\x05"), 1, WIRE_VARINT, 5, NULL},                 /* a number longer than needed */
    {BYTES("\x88\x80\x80\x80\x80\x80\x00\x05"), 1, WIRE_VARINT, 5, NULL}, /* */
    {BYTES("\x08\x85\x80\x80\x80\x80\x80\x80\x80\x80\x00"), 1, WIRE_VARINT, 5, NULL},
    {BYTES("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), 1, WIRE_VARINT, UINT64_MAX, NULL},
    {BYTES("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f"), 1, WIRE_VARINT, UINT64_MAX, NULL}, /* 70 bits */
    {BYTES("\x11\x01\x02\x03\x04\x05\x06\x07\x08"), 2, WIRE_FIXED64, 0x0807060504030201, NULL},
    {BYTES("\x1d\x01\x02\x03\x84"), 3, WIRE_FIXED32, 0x84030201, NULL},
    {BYTES("\x22\x00"), 4, WIRE_BYTES, 0, ""},
    {BYTES("\x22\x02hi"), 4, WIRE_BYTES, 0, "hi"},
    {BYTES("\x22\x82\x80\x80\x80\x80\x80\x00hi"), 4, WIRE_BYTES, 0, "hi"}, /* a length longer than needed */
    {BYTES("\xf8\xff\xff\xff\x3f\x07"), 0x7FFFFFFF, WIRE_VARINT, 7, NULL},
    {BYTES("\x0b\x0c"), 1, WIRE_GROUP, 0, NULL},
    {BYTES("\x0b\x08\x05\x13\x12\x01x\x14\x0c"), 1, WIRE_GROUP, 0, NULL}, /* with one in it */
};

static const struct span bad[] = {
    BYTES("\x00\x01"),                                             /* field 0 */
    BYTES("\x80\x00\x01"),                                         /* */
    BYTES("\x80\x80\x80\x80\x40\x01"),                             /* field 2^31 */
    BYTES("\x88"),                                                 /* no end */
    BYTES("\x08"),                                                 /* no value */
    BYTES("\x08\x80"),                                             /* a value without end */
    BYTES("\x08\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00"),     /* of 11 bytes */
    BYTES("\x88\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00\x05"), /* a number of 11 bytes */
    BYTES("\x11\x01\x02\x03\x04\x05\x06\x07"),                     /* seven of eight */
    BYTES("\x1d\x01\x02\x03"),                                     /* three of four */
    BYTES("\x22"),                                                 /* no length */
    BYTES("\x22\x03hi"),                                           /* over the rest */
    BYTES("\x22\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01hi"),       /* by far */
    BYTES("\x0b"),                                                 /* a group without end */
    BYTES("\x0b\x0b\x0c"),                                         /* the one in it has one */
    BYTES("\x0b\x12\x05x\x0c"),                                    /* over its rest */
    BYTES("\x0b\x0e\x0c"),                                         /* no type in it */
    BYTES("\x0c"),                                                 /* the end of one */
    BYTES("\x0e\x00"),                                             /* types that there are not */
    BYTES("\x0f\x00"),                                             /* */
};

static void test_fields(void) {
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        struct wire w = wire_of(guard_end(good[i].input));
        struct wire_field f = {0};
        CU_ASSERT_FATAL(wire_next(&w, &f));
        EQ_INT(f.number, good[i].number);
        EQ_INT(f.type, good[i].type);
        if (good[i].bytes)
            EQ_SPAN(f.bytes, span_str(good[i].bytes));
        else
            CU_ASSERT(f.value == good[i].value);
        CU_ASSERT(!wire_next(&w, &f));
        CU_ASSERT(!w.failed);
    }
}

static void test_damage(void) {
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct wire w = wire_of(guard_end(bad[i]));
        struct wire_field f;
        CU_ASSERT(!wire_next(&w, &f));
        CU_ASSERT(w.failed);
        CU_ASSERT(!wire_next(&w, &f)); /* and stays so */
    }
    struct wire empty = wire_of((struct span){NULL, 0});
    struct wire_field f;
    CU_ASSERT(!wire_next(&empty, &f));
    CU_ASSERT(!empty.failed);
}

/* Cut anywhere but between its two fields, this is malformed. */
static void test_cut_short(void) {
    static const struct span whole = BYTES("\x22\x02hi\x11\x01\x02\x03\x04\x05\x06\x07\x08");
    for (size_t n = 0; n <= whole.n; n++) {
        struct wire w = wire_of(guard_end(span_of(whole.p, n)));
        struct wire_field f;
        while (wire_next(&w, &f))
            ;
        EQ_INT(w.failed, n != 0 && n != 4 && n != whole.n);
    }
}

/* A known field is of its type, or its message is malformed. */
static void test_types(void) {
    static const enum wire_type types[] = {WIRE_VARINT, WIRE_FIXED64, WIRE_BYTES, WIRE_FIXED32};
    for (size_t i = 0; i < 4; i++) {
        struct wire_field f = {.number = 1, .type = types[i], .value = 7, .bytes = SPAN("x")};
        struct wire integer = {0}, number = {0}, bytes = {0};
        struct span text;
        EQ_INT(wire_integer(&integer, &f), types[i] == WIRE_VARINT ? 7 : 0);
        EQ_INT(integer.failed, types[i] != WIRE_VARINT);
        CU_ASSERT((wire_double(&number, &f) != 0) == (types[i] == WIRE_FIXED64));
        EQ_INT(number.failed, types[i] != WIRE_FIXED64);
        EQ_INT(wire_bytes(&bytes, &f, &text), types[i] == WIRE_BYTES);
        EQ_SPAN(text, types[i] == WIRE_BYTES ? SPAN("x") : SPAN(""));
    }
}

/* --- lists of numbers ------------------------------------------------------------------------------------ */

/* Adds all fields of the message to items; false when it is malformed. */
static bool numbers(struct span message, enum wire_kind kind, void *items, size_t *n) {
    struct wire w = wire_of(guard_end(message));
    struct wire_field f;
    *n = 0;
    while (wire_next(&w, &f))
        wire_numbers(&w, &f, kind, items, n);
    return !w.failed;
}

static void test_numbers(void) {
    /* one by one, packed, packed and empty, packed again */
    static const struct span mixed =
        BYTES("\x08\x03\x0a\x02\x01\x02\x0a\x00\x0a\x0b\x05\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01");
    static const int64_t zigzagged[] = {-2, -1, 1, -3, INT64_MIN}, plain[] = {3, 1, 2, 5, -1};
    int64_t wide[8];
    int32_t narrow[8];
    size_t n;
    CU_ASSERT(numbers(mixed, WIRE_SINT64, NULL, &n));
    EQ_INT(n, 5);
    CU_ASSERT(numbers(mixed, WIRE_SINT64, wide, &n) && n == 5);
    CU_ASSERT(memcmp(wide, zigzagged, sizeof zigzagged) == 0);
    CU_ASSERT(numbers(mixed, WIRE_INT64, wide, &n) && n == 5);
    CU_ASSERT(memcmp(wide, plain, sizeof plain) == 0);
    CU_ASSERT(numbers(mixed, WIRE_INT32, narrow, &n) && n == 5); /* the low 32 bits */
    for (size_t i = 0; i < n; i++)
        EQ_INT(narrow[i], plain[i]);
    CU_ASSERT(numbers(mixed, WIRE_SINT32, narrow, &n) && n == 5);
    EQ_INT(narrow[3], -3);
    EQ_INT(narrow[4], INT32_MIN);

    float floats[4];
    double doubles[4];
    CU_ASSERT(numbers(SPAN("\x0d\0\0\x80\x3f\x0a\x08\0\0\0\x40\0\0\x40\x40"), WIRE_FLOAT, floats, &n));
    EQ_INT(n, 3);
    CU_ASSERT(floats[0] == 1 && floats[1] == 2 && floats[2] == 3);
    CU_ASSERT(numbers(SPAN("\x09\0\0\0\0\0\0\xf0\x3f\x0a\x08\0\0\0\0\0\0\0\x40"), WIRE_DOUBLE, doubles, &n));
    EQ_INT(n, 2);
    CU_ASSERT(doubles[0] == 1 && doubles[1] == 2);
}

static void test_numbers_damaged(void) {
    size_t n;
    CU_ASSERT(!numbers(SPAN("\x0a\x02\x01\x80"), WIRE_UINT64, NULL, &n)); /* the last has no end */
    CU_ASSERT(
        !numbers(SPAN("\x0a\x02\x01\x80\x08\x01"), WIRE_UINT64, NULL, &n));  /* nor does it go on behind */
    CU_ASSERT(!numbers(SPAN("\x0a\x03\x01\x02\x03"), WIRE_FLOAT, NULL, &n)); /* no multiple of four */
    CU_ASSERT(!numbers(SPAN("\x0a\x04\x01\x02\x03\x04"), WIRE_DOUBLE, NULL, &n)); /* of eight */
    CU_ASSERT(!numbers(SPAN("\x0d\x01\x02\x03\x04"), WIRE_UINT32, NULL, &n));     /* of another type */
    CU_ASSERT(!numbers(SPAN("\x08\x01"), WIRE_FLOAT, NULL, &n));                  /* */
    CU_ASSERT(!numbers(SPAN("\x09\0\0\0\0\0\0\xf0\x3f"), WIRE_FLOAT, NULL, &n));  /* */
}

/* --- the messages, each known field of every type -------------------------------------------------------- */

static void ignore(void *arg, const struct record *record) {
    (void)record;
    ++*(size_t *)arg;
}

/* Whether the body is protobuf; what it says may still be refused. */
static bool well_formed(enum intake_format format, struct span body) {
    static const struct intake_options options = {.now_s = 1700000030};
    struct intake_error error;
    size_t n = 0;
    return intake_decode(format, guard_end(body), &options, ignore, &n, &error) == INTAKE_OK ||
           !strstr(error.text, "invalid wire-format");
}

/* Bytes of the message at `path`, field numbers from the outermost on. */
static struct span nest(const char *path, struct span bytes, char *room) {
    size_t depth = strlen(path), n = 2 * depth + bytes.n;
    for (size_t i = 0; i < depth; i++) {
        room[2 * i] = (char)(path[i] << 3 | WIRE_BYTES);
        room[2 * i + 1] = (char)(n - 2 * i - 2);
    }
    memcpy(room + 2 * depth, bytes.p, bytes.n);
    return span_of(room, n);
}

/* fields: the wire type of field 1, 2, …: 'v'arint, 'd'ouble, 'b'ytes, 'V' and 'F' and 'D' lists of varints, floats and
 * doubles; '-' is not known. */
static const struct {
    enum intake_format format;
    const char *path, *fields;
} messages[] = {
    {INTAKE_SERIES_V2, "", "b-"},
    {INTAKE_SERIES_V2, "\1", "bbbbvbbvb-"},
    {INTAKE_SERIES_V2, "\1\1", "bb-"},
    {INTAKE_SERIES_V2, "\1\4", "dv-"},
    {INTAKE_SERIES_V2, "\1\11", "b-"},
    {INTAKE_SERIES_V2, "\1\11\1", "---vvv-"},
    {INTAKE_SKETCHES, "", "bb-"},
    {INTAKE_SKETCHES, "\2", "bbdbbb-"},
    {INTAKE_SKETCHES, "\1", "bbbb--bb-"},
    {INTAKE_SKETCHES, "\1\3", "vvddddDVVD-"},
    {INTAKE_SKETCHES, "\1\7", "vvddddVV-"},
    {INTAKE_SKETCHES, "\1\10", "b-"},
    {INTAKE_SKETCHES, "\1\10\1", "---vvv-"},
    {INTAKE_SERIES_V3, "", "-bb-"},
    {INTAKE_SERIES_V3, "\2", "bb-"},
    {INTAKE_SERIES_V3, "\3", "bbVbVVVbVVVVVVVVVFDVVVVVbV-"},
};

static void test_messages(void) {
    static const struct {
        char types[6]; /* of `fields` that take it */
        enum wire_type type;
        struct span value;
    } values[] = {
        {"-vV", WIRE_VARINT, BYTES("\0")},
        {"-dD", WIRE_FIXED64, BYTES("\0\0\0\0\0\0\0\0")},
        {"-bVFD", WIRE_BYTES, BYTES("\0")},
        {"-F", WIRE_FIXED32, BYTES("\0\0\0\0")},
    };
    for (size_t i = 0; i < sizeof messages / sizeof messages[0]; i++)
        for (size_t number = 1; number <= strlen(messages[i].fields); number++)
            for (size_t k = 0; k < 4; k++) {
                char field[16] = {(char)(uint8_t)(number << 3 | values[k].type), 1}, room[32];
                size_t head = number > 15 ? 2 : 1;
                if (head == 2)
                    field[0] = (char)(field[0] | 0x80), field[1] = (char)(number >> 4);
                memcpy(field + head, values[k].value.p, values[k].value.n);
                struct span bytes = span_of(field, head + values[k].value.n);
                bool taken = strchr(values[k].types, messages[i].fields[number - 1]) != NULL;
                bool well = well_formed(messages[i].format, nest(messages[i].path, bytes, room));
                if (well != taken)
                    fprintf(stderr, "message %zu, field %zu of type %d:\n", i, number, (int)values[k].type);
                EQ_INT(well, taken);
            }
}

UNIT_MAIN("decode/wire", {"fields", test_fields}, {"damage", test_damage}, {"cut short", test_cut_short},
          {"types", test_types}, {"lists of numbers", test_numbers},
          {"damaged lists of numbers", test_numbers_damaged}, {"every field of every message", test_messages})
