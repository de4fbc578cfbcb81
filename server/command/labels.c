#include "command/labels.h"

#include "command/command.h"
#include "core/log.h"
#include "core/version.h"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { REPO, BRANCH, COMMIT, JOB, RUN, HOST, VERSION };

/* What CI systems set. The first that is not empty counts. */
/* clang-format off */
static const struct {
    int label;
    const char *variable;
} variables[] = {
    {REPO, "GITHUB_REPOSITORY"}, {REPO, "CI_PROJECT_PATH"}, {REPO, "BUILDKITE_REPO"}, {REPO, "CIRCLE_REPOSITORY_URL"},
    {REPO, "BITBUCKET_REPO_FULL_NAME"}, {REPO, "DRONE_REPO"}, {REPO, "TRAVIS_REPO_SLUG"}, {REPO, "BUILD_REPOSITORY_NAME"},
    {REPO, "GIT_URL"}, {REPO, "DD_GIT_REPOSITORY_URL"},
    {BRANCH, "GITHUB_HEAD_REF"}, {BRANCH, "GITHUB_REF_NAME"}, {BRANCH, "CI_MERGE_REQUEST_SOURCE_BRANCH_NAME"},
    {BRANCH, "CI_COMMIT_REF_NAME"}, {BRANCH, "BUILDKITE_BRANCH"}, {BRANCH, "CIRCLE_BRANCH"}, {BRANCH, "BITBUCKET_BRANCH"},
    {BRANCH, "DRONE_BRANCH"}, {BRANCH, "TRAVIS_BRANCH"}, {BRANCH, "BUILD_SOURCEBRANCHNAME"}, {BRANCH, "GIT_BRANCH"},
    {BRANCH, "DD_GIT_BRANCH"},
    {COMMIT, "GITHUB_SHA"}, {COMMIT, "CI_COMMIT_SHA"}, {COMMIT, "BUILDKITE_COMMIT"}, {COMMIT, "CIRCLE_SHA1"},
    {COMMIT, "BITBUCKET_COMMIT"}, {COMMIT, "DRONE_COMMIT_SHA"}, {COMMIT, "TRAVIS_COMMIT"}, {COMMIT, "BUILD_SOURCEVERSION"},
    {COMMIT, "GIT_COMMIT"}, {COMMIT, "DD_GIT_COMMIT_SHA"},
    {JOB, "GITHUB_JOB"}, {JOB, "CI_JOB_NAME"}, {JOB, "BUILDKITE_STEP_KEY"}, {JOB, "BUILDKITE_LABEL"}, {JOB, "CIRCLE_JOB"},
    {JOB, "SYSTEM_JOBNAME"}, {JOB, "JOB_NAME"},
    {RUN, "GITHUB_RUN_ID"}, {RUN, "CI_PIPELINE_ID"}, {RUN, "BUILDKITE_BUILD_NUMBER"}, {RUN, "CIRCLE_WORKFLOW_ID"},
    {RUN, "BITBUCKET_BUILD_NUMBER"}, {RUN, "DRONE_BUILD_NUMBER"}, {RUN, "TRAVIS_BUILD_ID"}, {RUN, "BUILD_BUILDID"},
    {RUN, "BUILD_NUMBER"},
};
/* clang-format on */

char *labels_short_repo(char *url) {
    char *at = strstr(url, "://");
    char *path = at ? strchr(at + 3, '/') : NULL;
    if (!at && strchr(url, '@') && strchr(url, ':'))
        path = strchr(strchr(url, '@'), ':');
    if (path)
        memmove(url, path + 1, strlen(path + 1) + 1);
    size_t n = strlen(url);
    if (n > 4 && strcmp(url + n - 4, ".git") == 0)
        url[n - 4] = '\0';
    return url;
}

/* A label on its own line and otherwise: one word of git's answer. */
static char *ask_git(const char *command) {
    char line[1024] = "";
    FILE *git = popen(command, "re");
    if (git && !fgets(line, sizeof line, git))
        line[0] = '\0';
    if (git)
        pclose(git);
    line[strcspn(line, "\r\n")] = '\0';
    return line[0] ? strdup(line) : NULL;
}

static void look_around(struct labels *l) {
    char host[256] = "";
    for (size_t i = 0; i < sizeof variables / sizeof variables[0]; i++) {
        const char *value = getenv(variables[i].variable);
        if (value && value[0] && !l->texts[variables[i].label])
            l->texts[variables[i].label] = strdup(value);
    }
    if (!l->texts[REPO])
        l->texts[REPO] = ask_git("git config --get remote.origin.url 2>/dev/null");
    if (!l->texts[BRANCH])
        l->texts[BRANCH] = ask_git("git symbolic-ref --quiet --short HEAD 2>/dev/null");
    if (!l->texts[COMMIT])
        l->texts[COMMIT] = ask_git("git rev-parse --verify --quiet HEAD 2>/dev/null");
    if (l->texts[REPO])
        labels_short_repo(l->texts[REPO]);
    if (!l->texts[HOST] && gethostname(host, sizeof host - 1) == 0)
        l->texts[HOST] = strdup(host);
    l->texts[VERSION] = strdup(STATWIT_SERVER_VERSION);
}

/* KEY=VALUE; a later one stands for an earlier one of the same key, unless that was `stronger`. */
static int add_label(struct push_options *push, const char *text, bool stronger) {
    const char *equals = strchr(text, '=');
    if (!equals || equals == text) {
        log_error("a label is KEY=VALUE, as branch=main, not '%.100s'", text);
        return EXIT_USAGE;
    }
    struct span key = span_of(text, (size_t)(equals - text)), value = span_str(equals + 1);
    for (int i = 0; i < FLEET_LABELS; i++)
        if (span_eq(key, span_str(fleet_labels[i]))) {
            if (stronger || !push->labels[i].p)
                push->labels[i] = value;
            return EXIT_PASS;
        }
    for (size_t i = 0; i < push->n_others; i++)
        if (span_eq(key, push->others[i].key)) {
            if (stronger)
                push->others[i].value = value;
            return EXIT_PASS;
        }
    if (push->n_others == PUSH_OTHERS_MAX) {
        log_error("there are more than %d labels", PUSH_OTHERS_MAX);
        return EXIT_USAGE;
    }
    push->others[push->n_others++] = (struct push_label){key, value};
    return EXIT_PASS;
}

int labels_collect(const struct options *o, struct labels *l, struct push_options *push) {
    int status = EXIT_PASS;
    for (size_t i = 0; i < o->list[OPT_LABEL].n && status == EXIT_PASS; i++)
        status = add_label(push, o->list[OPT_LABEL].texts[i], true);
    const char *env = getenv("STATWIT_LABELS");
    l->given = env ? strdup(env) : NULL;
    char *rest = l->given, *label;
    while (status == EXIT_PASS && rest && (label = strsep(&rest, ",")))
        if (label[0])
            status = add_label(push, label, false);
    look_around(l);
    for (int i = 0; i < FLEET_LABELS; i++)
        if (!push->labels[i].p && l->texts[i])
            push->labels[i] = span_str(l->texts[i]);
    return status;
}

void labels_free(struct labels *l) {
    for (int i = 0; i < FLEET_LABELS; i++)
        free(l->texts[i]);
    free(l->given);
    *l = (struct labels){0};
}
