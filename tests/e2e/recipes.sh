#!/usr/bin/env bash
# The README's recipes for GitLab and docker-compose, with two hosts (two_hosts.bash) for two containers. The image, which no container
# runtime runs here, is stood for by its environment and its command. The second argument is the recipes as JSON.
set -euo pipefail
recipes=$2
. "$(dirname "$0")/two_hosts.bash"
get() { jq -r "$1" "$recipes"; }
pairs() { get "$1 | to_entries[] | \"\\(.key)=\\(.value)\""; } # of an object of the recipes
# Makes the variables of this object an environment: env_of FILTER COMMAND…
env_of() {
    local set
    mapfile -t set < <(pairs "$1")
    env "${set[@]}" "${@:2}"
}
# The server as its image starts it, with these variables more.
serve_image() {
    local set
    mkfifo ready
    mapfile -t set < <(pairs "{STATWIT_BIND: \"0.0.0.0\", STATWIT_DB: \":memory:\"} + ($1)")
    env "${set[@]}" nsenter -t "$HOLDER" -n "$STATWIT_BIN" serve >ready 2>serve.err &
    SERVER=$!
    read -r -t 60 READY <ready || fail "$(cat serve.err)"
    rm ready
}
mkdir bin
ln -s "$STATWIT_BIN" bin/statwit
export PATH=$PWD/bin:$PATH
cat >run-tests <<'END'
#!/usr/bin/env bash
set -e
printf 'login.attempt:1|c|#instance:failure' >"/dev/udp/$DD_AGENT_HOST/${DD_DOGSTATSD_PORT:-8125}"
END
chmod +x run-tests
echo 'incr login.attempt{instance:failure} sum == 1' >metrics.expect

# GitLab gives a job's variables to its services, too.
[ "$(get '.gitlab.tests.services[0].alias')" = statwit ]
serve_image .gitlab.tests.variables
get '.gitlab.tests.script | join("\n")' >job.sh
grep -q run-tests job.sh
env_of .gitlab.tests.variables bash -e job.sh >report 2>&1 || fail "gitlab: $(cat report)"
grep -q 'pass  incr login.attempt' report && [ -s statwit.xml ] || fail "gitlab: $(cat report)"
end

# compose: the health check runs beside the server and knows no token.
serve_image .compose.services.statwit.environment
mapfile -t check < <(get '.compose.services.statwit.healthcheck.test[]')
[ "${check[0]} ${check[1]}" = 'CMD /statwit' ]
SECONDS=0
until there "$STATWIT_BIN" "${check[@]:2}"; do # as docker does, again and again
    { kill -0 "$SERVER" && [ "$SECONDS" -lt 120 ]; } || fail 'compose: unhealthy'
done
app() { env_of .compose.services.tests.environment "$@"; }
app ./run-tests
app statwit expect --within 60s -f metrics.expect >report || fail "compose: $(cat report)"
# A session: its ports are of the range that is published, and its environment leads back from this container.
app bash -ec 'eval "$(statwit session new)"; ./run-tests; statwit expect --within 60s -f metrics.expect "any * series == 1"
    echo "$DD_AGENT_HOST:$DD_DOGSTATSD_PORT"' >report 2>&1 || fail "compose, session: $(cat report)"
grep -Eq '^statwit:81[3-9][0-9]$' report || fail "compose, session: $(cat report)"
published=$(get '.compose.services.statwit.ports[2]')
[ "$published" = "127.0.0.1:$(get '.compose.services.statwit.environment.STATWIT_SESSION_PORTS | "\(.):\(.)"')/udp" ] || fail "published: $published"
end
echo 'recipes: fine'
