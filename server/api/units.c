/* The units that Datadog knows, as it describes them (schema/protocol/datadog-http.md 10.9). What is not known of one is left out. */
#include "api/read.h"

#include "core/json.h"

/* The units of a family, as NAME or NAME/SHORT. */
struct family {
    const char *name, *units;
};

/* clang-format off */
static const struct family families[] = {
    {"bytes", "bit/b byte/B kibibyte/KiB mebibyte/MiB gibibyte/GiB tebibyte/TiB pebibyte/PiB exbibyte/EiB"},
    {"time", "nanosecond/ns microsecond/μs millisecond/ms second/s minute/min hour/hr day week/wk"},
    {"percentage", "percent_nano/n% percent/% apdex fraction"},
    {"network", "connection/conn request/req packet/pkt segment/seg response/rsp message/msg payload timeout datagram route session hop"},
    {"system", "process/proc thread host node fault service/svc instance cpu"},
    {"disk", "file inode sector block/blk"},
    {"general", "buffer error/err read/rd write/wr occurrence event time unit operation/op item task worker resource/res email sample/smpl "
                "stage monitor location check attempt device/dev update/up method/mthd job container execution throttle invocation user "
                "success build prediction"},
    {"db", "table index lock transaction query row key command offset record object cursor assertion scan document shard flush merge "
           "refresh fetch column commit wait ticket question"},
    {"cache", "hit miss eviction get set"},
    {"money", "dollar/$ cent"},
    {"memory", "page split"},
    {"frequency", "hertz/Hz kilohertz/kHz megahertz/MHz gigahertz/GHz"},
    {"logging", "entry"},
};

/* What others of the family are told by; the plural is a mere s. */
static const struct {
    const char *unit;
    double factor;
} scales[] = {
    {"byte", 1}, {"kibibyte", 1024}, {"mebibyte", 1048576}, {"gibibyte", 1073741824}, {"tebibyte", 1099511627776.},
    {"pebibyte", 1125899906842624.}, {"exbibyte", 1152921504606846976.},
    {"nanosecond", 1e-9}, {"microsecond", 1e-6}, {"millisecond", 1e-3}, {"second", 1}, {"minute", 60}, {"hour", 3600}, {"day", 86400},
    {"week", 604800},
};
/* clang-format on */

/* Its short name; .p == NULL: it has none. false: the family has no such unit. */
static bool find_in(struct span units, struct span unit, struct span *short_name) {
    while (units.n) {
        const char *end = memchr(units.p, ' ', units.n);
        struct span one = span_of(units.p, end ? (size_t)(end - units.p) : units.n);
        units = span_from(units, end ? one.n + 1 : one.n);
        const char *slash = memchr(one.p, '/', one.n);
        size_t n = slash ? (size_t)(slash - one.p) : one.n;
        if (!span_eq(span_of(one.p, n), unit))
            continue;
        *short_name = slash ? span_from(one, n + 1) : (struct span){NULL, 0};
        return true;
    }
    return false;
}

static void put_scale(struct buf *b, struct span unit) {
    for (size_t i = 0; i < sizeof scales / sizeof scales[0]; i++)
        if (span_eq(span_str(scales[i].unit), unit)) {
            buf_printf(b, ",\"plural\":\"%ss\",\"scale_factor\":", scales[i].unit);
            json_put_number(b, scales[i].factor);
        }
}

void read_put_unit(struct buf *b, struct span unit) {
    struct span short_name;
    if (!unit.p) {
        buf_str(b, "null");
        return;
    }
    buf_str(b, "[{\"name\":");
    json_put_string(b, unit);
    for (size_t i = 0; i < sizeof families / sizeof families[0]; i++) {
        if (!find_in(span_str(families[i].units), unit, &short_name))
            continue;
        buf_printf(b, ",\"family\":\"%s\"", families[i].name);
        if (short_name.p) {
            buf_str(b, ",\"short_name\":");
            json_put_string(b, short_name);
        }
    }
    put_scale(b, unit);
    buf_str(b, "},null]");
}
