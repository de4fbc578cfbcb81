/* The variables that the official clients read. The options win over them. */
#include "emit/config.h"
#include "emit/tags.h"
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#define WIRE_TAGS_MAX 8192

static const char *env(const char *name) {
    const char *value = getenv(name);
    return value && *value ? value : NULL;
}

static void take_variable(struct config *config, const char **option, const char *name) {
    if (!*option)
        *option = config_string(config, env(name));
}

static void take_address(struct config *config) {
    struct statwit_options *options = &config->options;
    const char *socket = env("DD_DOGSTATSD_SOCKET"), *port = env("DD_DOGSTATSD_PORT");
    if (options->url || options->socket_path)
        return;
    bool by_host = options->host || options->port;
    if (!by_host)
        take_variable(config, &options->url, "DD_DOGSTATSD_URL");
    if (!by_host && !options->url && socket)
        *(strstr(socket, "://") ? &options->url : &options->socket_path) = config_string(config, socket);
    take_variable(config, &options->host, "DD_AGENT_HOST");
    if (!options->port && port)
        options->port = atoi(port) ? atoi(port) : -1; /* a bad one is reported by wire_open */
}

static void take_api(struct config *config) {
    struct statwit_options *options = &config->options;
    take_variable(config, &options->api_key, "DD_API_KEY");
    take_variable(config, &options->api_key, "DATADOG_API_KEY");
    take_variable(config, &options->app_key, "DD_APP_KEY");
    take_variable(config, &options->app_key, "DATADOG_APP_KEY");
    take_variable(config, &options->api_host, "DATADOG_HOST");
    const char *site = env("DD_SITE");
    char url[300];
    if (!options->api_host && site && (size_t)snprintf(url, sizeof url, "https://api.%s", site) < sizeof url)
        options->api_host = config_string(config, url);
}

static void put_separated(struct line *line, const struct statwit_tag *tag) {
    if (line->at > line->start)
        line_char(line, ',');
    tags_render_one(line, tag);
}

/* DD_TAGS holds tags between commas or blanks. */
static void put_list(struct line *line, const char *list) {
    char tag[1024];
    while (list && *list) {
        size_t size = strcspn(list, ", \t\n");
        if (size > 0 && size < sizeof tag) {
            memcpy(tag, list, size);
            tag[size] = '\0';
            put_separated(line, &(struct statwit_tag){"", tag});
        }
        list += size + (list[size] != '\0');
    }
}

static void take_tags(struct config *config) {
    static const char *const mapping[][2] = {{"DD_ENTITY_ID", "dd.internal.entity_id"},
                                             {"DD_ENV", "env"},
                                             {"DD_SERVICE", "service"},
                                             {"DD_VERSION", "version"}};
    char text[WIRE_TAGS_MAX];
    struct line line = line_in(text, sizeof text - 1);
    const char *list = env("DD_TAGS");
    put_list(&line, list ? list : env("DATADOG_TAGS"));
    for (size_t i = 0; i < sizeof mapping / sizeof mapping[0]; i++)
        if (env(mapping[i][0]))
            put_separated(&line, &(struct statwit_tag){mapping[i][1], env(mapping[i][0])});
    *line.at = '\0';
    const char *copy = line.at > line.start ? config_string(config, text) : NULL;
    if (copy)
        config->wire_tags = copy;
}

/* The container's id as the kernel knows it: the last part of a cgroup's path that holds 64 hexadecimal
 * digits; else the inode of the cgroup's directory. */
static bool find_container(char id[128]) {
    FILE *file = fopen("/proc/self/cgroup", "re");
    char text[1024], path[1200];
    struct stat directory;
    bool found = false;
    while (file && !found && fgets(text, sizeof text, file)) {
        text[strcspn(text, "\n")] = '\0';
        for (const char *at = text; *at && !found; at++) {
            size_t n = strspn(at, "0123456789abcdef");
            found = n == 64;
            if (found)
                snprintf(id, 128, "ci-%.64s", at);
            at += n > 0 ? n - 1 : 0;
        }
        const char *group = strstr(text, "::");
        if (!found && group && strcmp(group, "::/") != 0) {
            snprintf(path, sizeof path, "/sys/fs/cgroup%s", group + 2);
            found = stat(path, &directory) == 0;
            if (found)
                snprintf(id, 128, "in-%llu", (unsigned long long)directory.st_ino);
        }
    }
    if (file)
        fclose(file);
    return found;
}

static void make_fields(struct config *config) {
    struct statwit_options *options = &config->options;
    char id[128], text[1024];
    const char *container = options->container_id;
    if (!container && options->origin_detection && find_container(id))
        container = id;
    struct line line = line_in(text, sizeof text - 1);
    if (container) {
        line_string(&line, "|c:");
        line_clean(&line, LINE_VALUE, container);
    }
    if (options->external_env) {
        line_string(&line, "|e:");
        line_clean(&line, LINE_VALUE, options->external_env);
    }
    *line.at = '\0';
    const char *copy = line.at > line.start ? config_string(config, text) : NULL;
    if (copy)
        config->wire_fields = copy;
}

void environment_apply(struct config *config) {
    if (!config->options.ignore_environment) {
        take_address(config);
        take_api(config);
        take_tags(config);
        take_variable(config, &config->options.external_env, "DD_EXTERNAL_ENV");
        take_variable(config, &config->options.cardinality, "DD_CARDINALITY");
    }
    make_fields(config);
}
