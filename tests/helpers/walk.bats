#!/usr/bin/env bats
# A newcomer with the README, that of one package, and an application of her own (walk/): every block is taken as it stands there, and run
# with the packages that `run` has installed below $HELPERS_BUILD. Each test passes, and fails when the application counts something else.

TOP=$BATS_TEST_DIRNAME/../..

source "$BATS_TEST_DIRNAME/../support/repeat.bash"
teardown() { repeat_if_dropped; }
setup() {
    cd "$BATS_TEST_TMPDIR" || return
    unset STATWIT_URL STATWIT_BIN "${!DD_@}"
    NAME=${BATS_TEST_DESCRIPTION%%:*}
    BUILT=$HELPERS_BUILD/$NAME
    [ -d "$BUILT" ] || skip "$NAME was not built"
    [ ! -d "$BATS_TEST_DIRNAME/walk/$NAME" ] || cp -r "$BATS_TEST_DIRNAME/walk/$NAME/." .
}

# The indented block of the README behind the line that starts with **THIS**.
five() {
    awk -v start="**$1**" 'index($0, start) == 1 { found = 1; next } found && /^    / { print substr($0, 5); inside = 1; next }
        found && inside { exit }' "$TOP/README.md"
}

# The Nth fenced block of this language in the package's README.
block() { # language, n
    awk -v fence="\`\`\`$1" -v n="$2" '$0 == fence { if (++seen == n) { inside = 1; next } }
        inside && $0 == "```" { exit } inside' "$TOP/client/$NAME/README.md"
}

# The application does something else: then the test must fail, with statwit's words.
fails() {
    run "$@"
    [ "$status" -ne 0 ] || { echo "it passed: $*"; return 1; }
    [[ $output == *"statwit: fail"* ]] || { echo "$output"; return 1; }
}

# A package without the program finds it as a user's would: in PATH.
program_in_path() {
    mkdir -p bin
    ln -sf "$HELPERS_STATWIT" bin/statwit
    PATH=$PWD/bin:$PATH
}

pytest() { "$BUILT/venv/bin/python" -B -m pytest -q -p no:cacheprovider "$@"; }

@test "python: the README's five lines" {
    program_in_path
    five Python >test_login.py
    [ "$(wc -l <test_login.py)" -le 5 ]
    pytest
    sed -i 's/nobody/somebody/' test_login.py
    fails pytest
}

@test "python: the package's README" {
    program_in_path
    for n in 1 2; do
        block python $n >"test_$n.py"
        grep -q '^def test' "test_$n.py"
    done
    block python 3 >test_3.py
    grep -q 'unittest.TestCase' test_3.py
    pytest
    pytest -n 2
    "$BUILT/venv/bin/python" -B -m unittest test_3.py
    for n in 1 2 3; do
        sed -i 's/"nobody"/"somebody"/' test_$n.py
        fails pytest test_$n.py
    done
    # A client that is made at import.
    rm test_*.py
    mv shop_at_import.py shop.py
    block python 1 >test_1.py
    sed 's/test_login/test_login_again/' test_1.py >test_2.py
    run pytest
    [ "$status" -ne 0 ]
    block ini 1 >pytest.ini
    pytest
    pytest -n 2
}

node_modules() { program_in_path; ln -s "$BUILT/node_modules" node_modules; echo '{"private": true}' >package.json; }

@test "node: the README's five lines" {
    node_modules
    five Node >login.test.js
    [ "$(wc -l <login.test.js)" -le 5 ]
    node --test
    sed -i 's/nobody/somebody/' login.test.js
    fails node --test
}

@test "node: the package's README" {
    node_modules
    mkdir one two three
    block js 1 >one/login.test.js
    block js 2 >two/login.test.js
    block js 3 >three/login.spec.mjs
    for folder in one two three; do cp login.js $folder; done
    node --test one/
    npx jest two
    npx vitest run --dir three
    sed -i 's/nobody/somebody/' one/login.test.js two/login.test.js three/login.spec.mjs
    fails node --test one/
    fails npx jest two
    fails npx vitest run --dir three
}

@test "node: a test in TypeScript knows the matcher of jest and of vitest" {
    node_modules
    cat >jest.ts <<'END'
import { expect, test } from '@jest/globals'
import 'statwit/jest-globals'
import * as statwit from 'statwit'
test('login', async () => {
  const metrics: statwit.Session = await statwit.session()
  await expect(metrics).toHaveRecorded(['incr a', 'no any errors.*'], { within: 5 })
  await expect(metrics).not.toHaveRecorded('any errors.*')
})
END
    sed "s|'@jest/globals'|'vitest'|; s|statwit/jest-globals|statwit/vitest|" jest.ts >vitest.mts
    cat >global.ts <<'END'
import 'statwit/jest'
import * as statwit from 'statwit'
declare function expect (metrics: statwit.Session): jest.Matchers<void>
export const login = async (metrics: statwit.Session) => expect(metrics).toHaveRecorded('incr a')
END
    npx tsc --noEmit --strict --skipLibCheck --module node16 jest.ts vitest.mts global.ts
    sed -i 's/toHaveRecorded(\[/toHaveRecordd([/' jest.ts vitest.mts
    run npx tsc --noEmit --strict --skipLibCheck --module node16 jest.ts vitest.mts
    [ "$(grep -c 'toHaveRecordd' <<<"$output")" -eq 2 ]
}

go_module() {
    GOPROXY="file://$BUILT/proxy,file://$(go env GOMODCACHE)/cache/download,$(go env GOPROXY)" GOMODCACHE=$BUILT/cache
    export GOPROXY GOMODCACHE GOFLAGS='-modcacherw -mod=mod' GONOSUMDB=github.com/statwit
    go mod init example.com/shop
    # As the README says it, with what the application has.
    eval "$(block '' 1 | sed 's/go get //; s/^/go get github.com\/DataDog\/datadog-go\/v5@v5.9.1 /')"
}

@test "go: the README's five lines" {
    go_module
    { printf 'package shop\nimport (\n"testing"\n"github.com/DataDog/datadog-go/v5/statsd"\n_ "github.com/statwit/statwit/client/go/statwitbin"\n'
      printf '"github.com/statwit/statwit/client/go/statwittest"\n)\n'; five Go; } >shop_test.go
    [ "$(five Go | wc -l)" -le 5 ]
    go test -count=1 ./...
    sed -i 's/nobody/somebody/' shop_test.go
    fails go test -count=1 ./...
}

@test "go: the package's README" {
    go_module
    for n in 1 2; do
        block go $n >shop_test.go
        gofmt -l . && go test -count=1 ./...
        sed -i 's/nobody/somebody/; s/login.attempt samples/login.attempt{instance:failure} samples/' shop_test.go
        fails go test -count=1 ./...
    done
}

minitest() { GEM_HOME=$BUILT/gems ruby -w "$@"; }

@test "ruby: the README's five lines" {
    program_in_path
    { printf 'require "minitest/autorun"\nrequire "statwit/minitest"\nrequire_relative "login"\n'; five Ruby; } >login_test.rb
    [ "$(five Ruby | wc -l)" -le 5 ]
    minitest login_test.rb
    sed -i 's/nobody/somebody/' login_test.rb
    fails minitest login_test.rb
}

@test "ruby: the package's README" {
    program_in_path
    block ruby 1 >login_test.rb
    block ruby 2 >login_spec.rb
    block ruby 3 >early_test.rb
    for n in login_test early_test; do minitest $n.rb; done
    GEM_HOME=$BUILT/gems rspec login_spec.rb
    sed -i 's/"nobody"/"somebody"/; s/"incr login.attempt samples/"incr login.attempt{instance:failure} samples/' ./*_test.rb ./*_spec.rb
    for n in login_test early_test; do fails minitest $n.rb; done
    GEM_HOME=$BUILT/gems fails rspec login_spec.rb
}

maven() { mvn -q -B -o -Dmaven.repo.local="$BUILT/m2" "$@"; }

@test "java: the README's five lines, and the package's README" {
    cp -r "$BUILT/consumer/." .
    maven test
    [ "$(five Java | wc -l)" -le 5 ]
    sed -i 's/nobody/somebody/; s/"failure").increment/"success").increment/' src/test/java/app/*.java
    run maven test
    [ "$status" -ne 0 ]
    [ "$(grep -c 'statwit: fail' <<<"$output")" -ge 3 ]
}
