/* statwit export: a whole session in some format, from a server or a file. */
#include "control/export.h"
#include "command/commands.h"
#include "command/file.h"
#include "command/rows.h"
#include "command/table.h"
#include "core/log.h"
#include "render/openmetrics.h"
#include "store/store.h"
#include <stdio.h>

static void write_text(void *arg, struct span text, uint64_t id) {
    (void)id;
    text_write(arg, text);
}

static bool write_chunk(void *arg, const char *bytes, size_t size) {
    return text_write(arg, span_of(bytes, size));
}

static int file_openmetrics(const struct options *o, FILE *to) {
    struct span tags[OPTION_LIST_MAX];
    struct filter filter;
    struct err err = {0};
    struct buf text = {.max = OPENMETRICS_MAX};
    int status = rows_filter(o, tags, &filter);
    struct reader *r = status == EXIT_PASS ? rows_open_file(o, &status) : NULL;
    if (!r)
        return status;
    status = r->ops->begin(r, &err) == 0 ? EXIT_PASS : EXIT_CANNOT;
    if (status == EXIT_PASS) {
        status = rows_find_mark(r, o, &err);
        if (status == EXIT_PASS && openmetrics_write(r, &filter, UINT64_MAX, &text, &err) != 0)
            status = EXIT_CANNOT;
        r->ops->end(r);
    }
    reader_close(r);
    if (status == EXIT_PASS)
        text_write(to, buf_view(&text));
    else
        log_error("%s", err.text);
    buf_free(&text);
    return status;
}

static int export_file(const struct options *o, FILE *to) {
    const struct listing_format *format =
        option_on(o, OPT_RAW)
            ? &export_raw
            : export_format(span_str(option_text(o, OPT_FORMAT)), option_on(o, OPT_CSV_SAFE));
    if (!format)
        return file_openmetrics(o, to);
    fputs(format->head, to);
    return rows_in_file(o, format->n_phases, format->phases, write_text, to, NULL);
}

static int export_server(const struct options *o, FILE *to) {
    struct remote remote;
    struct buf path = {.max = 1 << 20};
    rows_path(&path, o, "export");
    remote_arg(&path, "since", option_text(o, OPT_SINCE));
    remote_arg(&path, "until", option_text(o, OPT_UNTIL));
    remote_arg(&path, "format", option_text(o, OPT_FORMAT));
    remote_arg(&path, "raw", option_on(o, OPT_RAW) ? "true" : NULL);
    remote_arg(&path, "csv_safe", option_on(o, OPT_CSV_SAFE) ? "true" : NULL);
    int status = remote_open(&remote, o);
    if (status == EXIT_PASS)
        status = remote_stream(&remote, path.p, write_chunk, to);
    remote_close(&remote);
    buf_free(&path);
    return status;
}

static int export_to(const struct options *o, FILE *to) {
    return rows_from_file(o) ? export_file(o, to) : export_server(o, to);
}

int export_command(const struct options *o) {
    struct file_output file;
    struct err err = {0};
    const char *path = option_text(o, OPT_OUTPUT);
    if (option_on(o, OPT_CSV_SAFE) && strcmp(option_text(o, OPT_FORMAT), "csv") != 0) {
        log_error("--csv-safe is for --format csv");
        return EXIT_USAGE;
    }
    if (option_on(o, OPT_RAW) && strcmp(option_text(o, OPT_FORMAT), "dogstatsd") != 0) {
        log_error("--raw is for --format dogstatsd");
        return EXIT_USAGE;
    }
    if (option_on(o, OPT_RAW) && (option_given(o, OPT_TYPE) || o->list[OPT_TAG].n)) {
        log_error("raw datagrams are whole: --type and --tag do not choose among their lines");
        return EXIT_USAGE;
    }
    if (!path || file_is_stdout(path))
        return export_to(o, stdout);
    if (file_begin(&file, path, &err) != 0) {
        log_error("%s", err.text);
        return EXIT_CANNOT;
    }
    int status = export_to(o, file.to);
    if (file_end(&file, status == EXIT_PASS, &err) != 0) {
        log_error("%s", err.text);
        status = EXIT_CANNOT;
    }
    return status;
}
