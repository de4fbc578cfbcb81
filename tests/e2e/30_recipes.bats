#!/usr/bin/env bats
# The README's recipes for CI, as far as they can be run without a runner and a container runtime.
load helper

ROOT=$BATS_TEST_DIRNAME/../..

teardown() {
    if [ -e server ]; then kill "$(cat server)" 2>/dev/null || true; fi
    repeat_if_dropped
}

# The block behind the paragraph of the README that starts with these words.
snippet() {
    awk -v start="$1" 'index($0, start) == 1 { found = 1; next }
        found && /^    / { print substr($0, 5); inside = 1; next }
        found && inside { exit }' "$ROOT/README.md"
}

# The action's step, as a runner runs it.
action() {
    mkdir -p runner
    : >github.env
    : >github.path
    : >github.output
    # The server goes on when the step has ended, as on a runner, so it must not hold the test's own descriptors.
    env GITHUB_ENV="$PWD/github.env" GITHUB_PATH="$PWD/github.path" GITHUB_OUTPUT="$PWD/github.output" RUNNER_TEMP="$PWD/runner" "$@" >step.log 2>&1 3>&-
}

# A later step of the job: it has what the action wrote.
step() {
    local pairs
    mapfile -t pairs <github.env
    env "${pairs[@]}" PATH="$(tail -n 1 github.path):$PATH" bash -ec "$1"
}

@test "the action: the next steps' clients are recorded, and asked about" {
    action BINARY="$STATWIT_BIN" ARGS='--db my.db --quiet' "$ROOT/.github/action/start"
    step 'statwit status --json' | jq .pid >server
    [ "$(cat github.output)" = "url=$(sed -n 's/^STATWIT_URL=//p' github.env)" ]
    grep -q '^DD_AGENT_HOST=127.0.0.1$' github.env
    ! grep -v '^[A-Z_]*=[^"{}]*$' github.env
    snippet GitHub: | sed -n 's/^- run: //p' | sed 's/  *#.*//' >steps
    [ "$(wc -l <steps)" -eq 2 ]
    printf '#!/bin/bash\nprintf "login.attempt:1|c" >"/dev/udp/$DD_AGENT_HOST/$DD_DOGSTATSD_PORT"\n' >run-tests
    chmod +x run-tests
    echo 'incr login.attempt sum == 1' >metrics.expect
    while read -r line; do step "$line"; done <steps
    [ -s statwit.xml ]
    [ -s my.db ]
}

@test "the action says why it cannot start" {
    run action BINARY=/nowhere/statwit "$ROOT/.github/action/start"
    exits 1
    grep -q '^::error::statwit: /nowhere/statwit is no program that runs here' step.log
    run action BINARY="$STATWIT_BIN" ARGS='--prot 5' "$ROOT/.github/action/start"
    exits 1
    grep -q '^::error::statwit: it did not start' step.log
    grep -q -- '--prot' step.log
}

@test "the action builds the program of its own sources, or takes the one beside it" {
    mkdir -p tree/.github tree/.ci
    cp -r "$ROOT/.github/action" tree/.github/
    printf '#!/bin/sh\necho "deps $*"\n' >tree/.ci/deps
    chmod +x tree/.ci/deps
    printf 'all:\n\t@mkdir -p build && ln -s "$(STATWIT_BIN)" build/statwit\n' >tree/Makefile
    action ARGS='--db :memory:' MAKEFLAGS= STATWIT_BIN="$STATWIT_BIN" tree/.github/action/start
    step 'statwit status --json' | jq .pid >server
    [ -L tree/build/statwit ]
    kill "$(cat server)"
    rm -r tree/build
    ln -s "$STATWIT_BIN" "tree/.github/action/statwit-$(uname -m)"
    action ARGS='' tree/.github/action/start
    step 'statwit status --json' | jq .pid >server
    [ ! -e tree/build ]
    step '[ "$(command -v statwit)" != "$STATWIT_BIN" ] && statwit send a:1\|c && statwit expect "incr a"'
}

@test "the recipes are YAML, and name what there is" {
    for name in GitHub GitLab docker-compose; do snippet "$name" >"$name.yml"; done
    run python3 - "$ROOT" <<'END'
import json, pathlib, sys, yaml
root = pathlib.Path(sys.argv[1])
read = lambda name: yaml.safe_load(pathlib.Path(name).read_text())
action = read(root / ".github/action/action.yml")
for step in action["runs"]["steps"]:
    assert step["shell"] == "bash" and set(step["env"]) == {"BINARY", "ARGS", "ACTION"}
    assert step["run"] == '"$ACTION/start"'
assert set(action["inputs"]) == {"binary", "args"}
github = read("GitHub.yml")
assert github[0]["uses"].startswith("statwit/statwit/.github/action@v"), github
version = next(line.split()[-1] for line in (root / "Makefile").read_text().splitlines() if line.startswith("VERSION"))
compose, gitlab = read("docker-compose.yml"), read("GitLab.yml")
assert github[0]["uses"].endswith("@v" + version)
assert compose["services"]["statwit"]["image"] == gitlab["tests"]["services"][0]["name"] == "statwit:" + version
pathlib.Path("recipes.json").write_text(json.dumps({"compose": compose, "gitlab": gitlab}))
END
    exits 0
    command -v ip >/dev/null && unshare -Urnm true 2>/dev/null || skip 'network namespaces are not permitted here'
    export STATWIT_BIN
    mkdir hosts
    run unshare -Urnm "$BATS_TEST_DIRNAME/recipes.sh" "$PWD/hosts" "$PWD/recipes.json"
    exits 0
    has 'recipes: fine'
}
