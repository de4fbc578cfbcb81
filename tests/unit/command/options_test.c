#include "command/command.h"
#include "unit.h"
#include <string.h>

/* Reads words as the options of a command; the words' array outlives the call, as argv does. */
static int read_words(struct options *o, const char *command, struct err *err, char **words) {
    int n = 0;
    while (words[n])
        n++;
    *err = (struct err){0};
    return options_read(o, command_find(command), n, words, err);
}
#define READ(o, command, err, ...) read_words(o, command, err, (char *[]){__VA_ARGS__, NULL})

static void test_times(void) {
    EQ_INT(option_parse_time("200ms"), 200000000);
    EQ_INT(option_parse_time("5s"), 5000000000);
    EQ_INT(option_parse_time("1.5s"), 1500000000);
    EQ_INT(option_parse_time("10m"), 600000000000);
    EQ_INT(option_parse_time("2h"), 7200000000000);
    EQ_INT(option_parse_time("7d"), 604800000000000);
    EQ_INT(option_parse_time("0"), 0);
    EQ_INT(option_parse_time("0.0"), 0);
    const char *bad[] = {"",  "5",  "500", "1.5", "s", "-1s", "5 s", "5sec", "1e3", "5sm", "99999999999999d",
                         ".", "nan"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        EQ_INT(option_parse_time(bad[i]), -1);
}

static void test_sizes(void) {
    EQ_INT(option_parse_size("0"), 0);
    EQ_INT(option_parse_size("65536"), 65536);
    EQ_INT(option_parse_size("64K"), 65536);
    EQ_INT(option_parse_size("64k"), 65536);
    EQ_INT(option_parse_size("256M"), 268435456);
    EQ_INT(option_parse_size("1GiB"), 1073741824);
    EQ_INT(option_parse_size("1GB"), 1073741824);
    const char *bad[] = {"", "M", "-1", "1.5M", "1X", "1KK", "99999999999999999999", "9999999999T"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        EQ_INT(option_parse_size(bad[i]), -1);
}

static void test_spellings(void) {
    struct options o;
    struct err err;
    EQ_INT(READ(&o, "samples", &err, "--limit=5", "-qn7", "--type", "count", "glob"), 0);
    EQ_INT(option_number(&o, OPT_LIMIT), 7);
    CU_ASSERT(option_on(&o, OPT_QUIET));
    EQ_STR(option_text(&o, OPT_TYPE), "count");
    EQ_INT(o.n_args, 1);
    options_free(&o);
    EQ_INT(READ(&o, "send", &err, "-q", "--", "-x:1|c", "--not-an-option"), 0);
    EQ_INT(o.n_args, 2);
    EQ_STR(o.args[0], "-x:1|c");
    options_free(&o);
    EQ_INT(READ(&o, "replay", &err, "-"), 0);
    EQ_STR(o.args[0], "-");
    options_free(&o);
}

static void test_run_stops_at_the_command(void) {
    struct options o;
    struct err err;
    EQ_INT(READ(&o, "run", &err, "-q", "ls", "-q", "--", "--json"), 0);
    EQ_INT(o.n_args, 4);
    EQ_STR(o.args[3], "--json");
    options_free(&o);
    EQ_INT(READ(&o, "run", &err, "--", "-odd-name", "--", "x"), 0);
    EQ_INT(o.n_args, 3);
    EQ_STR(o.args[1], "--");
    options_free(&o);
}

static void test_lists_replace_what_is_weaker(void) {
    struct options o;
    struct err err;
    setenv("STATWIT_TAG", "from:env", 1);
    EQ_INT(READ(&o, "ls", &err, "-q"), 0);
    EQ_INT(o.list[OPT_TAG].n, 1);
    options_free(&o);
    EQ_INT(READ(&o, "ls", &err, "--tag", "a", "--tag", "b"), 0);
    EQ_INT(o.list[OPT_TAG].n, 2);
    EQ_STR(o.list[OPT_TAG].texts[0], "a");
    options_free(&o);
    unsetenv("STATWIT_TAG");
}

static void test_precedence(void) {
    struct options o;
    struct err err;
    EQ_INT(READ(&o, "serve", &err, "-q"), 0);
    EQ_INT(option_number(&o, OPT_DOGSTATSD_PORT), 8125);
    EQ_INT(o.value[OPT_DOGSTATSD_PORT].from, FROM_DEFAULT);
    options_free(&o);
    setenv("DD_DOGSTATSD_PORT", "1", 1);
    EQ_INT(READ(&o, "serve", &err, "-q"), 0);
    EQ_INT(option_number(&o, OPT_DOGSTATSD_PORT), 1);
    options_free(&o);
    EQ_INT(READ(&o, "run", &err, "true"), 0); /* says where others listen: not for run */
    EQ_INT(option_number(&o, OPT_DOGSTATSD_PORT), 0);
    options_free(&o);
    setenv("STATWIT_DOGSTATSD_PORT", "2", 1);
    EQ_INT(READ(&o, "serve", &err, "-q"), 0);
    EQ_INT(option_number(&o, OPT_DOGSTATSD_PORT), 2);
    options_free(&o);
    EQ_INT(READ(&o, "serve", &err, "--dogstatsd-port", "3"), 0);
    EQ_INT(option_number(&o, OPT_DOGSTATSD_PORT), 3);
    options_free(&o);
    unsetenv("DD_DOGSTATSD_PORT");
    unsetenv("STATWIT_DOGSTATSD_PORT");
}

/* Every option of a recorder, as a variable that would be refused, or obeyed, if it were read. */
static void set_all(const struct command *command, bool on) {
    char env[OPTION_ENV_SIZE];
    for (size_t i = 0; i < n_option_table; i++) {
        const struct option *option = &option_table[i];
        option_env(option, env);
        if (!option_taken(option, command) || option->id == OPT_PRIVATE ||
            (strcmp(command->name, "run") == 0 && !option_groups_have(&option->groups, RUN_BY_FLAG)))
            continue;
        if (on)
            setenv(env, option->kind == KIND_TEXT ? "of the machine" : "nonsense", 1);
        else
            unsetenv(env);
        if (option->dd && on)
            setenv(option->dd, option->kind == KIND_TEXT ? "of the machine" : "nonsense", 1);
        else if (option->dd)
            unsetenv(option->dd);
    }
}

static void test_private_took_the_environment(void) {
    struct options o;
    struct err err;
    set_all(command_find("serve"), true);
    EQ_INT(READ(&o, "serve", &err, "--db", "kept.db", "--private"), 0);
    EQ_INT(option_number(&o, OPT_HTTP_PORT), 0);
    EQ_INT(option_number(&o, OPT_DOGSTATSD_PORT), 0);
    EQ_STR(option_text(&o, OPT_BIND), "127.0.0.1");
    EQ_STR(option_text(&o, OPT_DB), "kept.db");
    CU_ASSERT(option_on(&o, OPT_QUIET) && option_on(&o, OPT_EXIT_WITH_STDIN));
    CU_ASSERT(!option_given(&o, OPT_TOKEN) && !option_given(&o, OPT_DOGSTATSD_SOCKET));
    CU_ASSERT(!option_given(&o, OPT_DOGSTATSD_TAGS) && o.list[OPT_API_KEY].n == 0);
    options_free(&o);
    EQ_INT(READ(&o, "serve", &err, "--private", "--exit-with-stdin=false", "--http-port=7"), 0);
    CU_ASSERT(!option_on(&o, OPT_EXIT_WITH_STDIN));
    EQ_INT(option_number(&o, OPT_HTTP_PORT), 7);
    EQ_STR(option_text(&o, OPT_DB), ":memory:");
    options_free(&o);
    EQ_INT(READ(&o, "serve", &err, "-q"), -1);
    options_free(&o);
    set_all(command_find("serve"), false);
    set_all(command_find("run"), true);
    EQ_INT(READ(&o, "run", &err, "true"), 0);
    EQ_STR(option_text(&o, OPT_DB), ":memory:");
    CU_ASSERT(!option_given(&o, OPT_SESSION));
    options_free(&o);
    set_all(command_find("run"), false);
    setenv("STATWIT_PRIVATE", "true", 1);
    EQ_INT(READ(&o, "serve", &err, NULL), 0);
    EQ_STR(option_text(&o, OPT_DB), ":memory:");
    options_free(&o);
    unsetenv("STATWIT_PRIVATE");
}

static void test_refusals(void) {
    static const struct {
        const char *command;
        char *words[4];
        const char *says;
    } cases[] = {
        {"serve", {"--nonsense-of-mine"}, "unknown option --nonsense-of-mine"},
        {"serve", {"--http-prot"}, "did you mean --http-port?"},
        {"serve", {"-Z"}, "unknown option -Z"},
        {"serve", {"--http-port"}, "needs a value"},
        {"serve", {"--http-port", "-1"}, "a port"},
        {"serve", {"--http-port", "+1"}, "a port"},
        {"serve", {"--http-port", "65536"}, "a port"},
        {"serve", {"--queue-memory", "x"}, "a size"},
        {"serve", {"--retention-age", "x"}, "a time"},
        {"serve", {"--retention-age", "500"}, "--retention-age needs a unit: write 500ms or 500s"},
        {"expect", {"--within", "1.5"}, "--within needs a unit: write 1.5ms or 1.5s"},
        {"samples", {"-n", "0"}, "a whole number from 1"},
        {"samples", {"-n", "-1"}, "a whole number from 1"},
        {"serve", {"--retention-samples", "1.5"}, "a whole number"},
        {"serve", {"--log-level", "loud"}, "error|warning|info|debug"},
        {"serve", {"--quiet=perhaps"}, "true or false"},
        {"fault", {"--drop", "1.5"}, "a share"},
        {"fault", {"--drop", "nan"}, "a share"},
        {"serve", {"x"}, "takes no 'x'"},
        {"run", {"-q"}, "needs"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct options o;
        struct err err;
        EQ_INT(read_words(&o, cases[i].command, &err, (char **)cases[i].words), -1);
        if (!strstr(err.text, cases[i].says))
            fprintf(stderr, "case %zu: \"%s\" does not say \"%s\"\n", i, err.text, cases[i].says);
        CU_ASSERT(strstr(err.text, cases[i].says) != NULL);
        options_free(&o);
    }
}

static void test_tables(void) {
    char env[OPTION_ENV_SIZE];
    for (size_t i = 0; i < n_option_table; i++) {
        const struct option *option = &option_table[i];
        CU_ASSERT((option->kind == KIND_FLAG) == (option->arg == NULL));
        option_env(option, env);
        CU_ASSERT(strlen(env) + 1 < OPTION_ENV_SIZE);
        for (size_t k = 0; k < n_commands; k++) /* no command takes two options of one name or letter */
            for (size_t j = 0; j < i; j++) {
                if (!option_taken(option, &commands[k]) || !option_taken(&option_table[j], &commands[k]))
                    continue;
                bool clash = strcmp(option->flag, option_table[j].flag) == 0 ||
                             (option->letter && option->letter == option_table[j].letter);
                if (clash)
                    fprintf(stderr, "%s: --%s and --%s\n", commands[k].name, option->flag,
                            option_table[j].flag);
                CU_ASSERT(!clash);
            }
    }
}

UNIT_MAIN("command/options", {"times", test_times}, {"sizes", test_sizes}, {"every spelling", test_spellings},
          {"run stops at the command", test_run_stops_at_the_command},
          {"lists replace what is weaker", test_lists_replace_what_is_weaker},
          {"flag, STATWIT_, DD_, default", test_precedence},
          {"private took the environment", test_private_took_the_environment}, {"refusals", test_refusals},
          {"the tables agree with themselves", test_tables})
