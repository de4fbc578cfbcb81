#!/usr/bin/env bats
# libstatwit as its users have it: installed, found by pkg-config, against the real server.

setup_file() {
    [[ $STATWIT == */release/* ]] || return 0
    export TREE=$BATS_FILE_TMPDIR/tree
    make -s install-client PREFIX="$TREE" >/dev/null
    install -D "$STATWIT" "$TREE/bin/statwit"
    export PKG_CONFIG_PATH=$TREE/lib/pkgconfig LD_LIBRARY_PATH=$TREE/lib PATH=$TREE/bin:$PATH
    unset STATWIT_BIN STATWIT_URL "${!DD_@}"
}

setup() {
    # The shared library of a sanitizer variant asks for that sanitizer's runtime in every program.
    [[ $STATWIT == */release/* ]] || skip "the installed tree is the release one"
}

compile() { # source, program, more
    "${CC:-cc}" -std=c17 -Wall -Wextra -Wpedantic -Werror -o "$BATS_TEST_TMPDIR/$2" "$1" \
        $(pkg-config --cflags --libs statwit) "${@:3}"
}

@test "the example is compiled by pkg-config alone, and passes" {
    compile client/c/example/shop_test.c shop
    run "$BATS_TEST_TMPDIR/shop"
    [ "$status" -eq 0 ]
    [ "$output" = 'shop: ok' ]
}

@test "the example links statically with the library too" {
    "${CC:-cc}" -o "$BATS_TEST_TMPDIR/shop" client/c/example/shop_test.c $(pkg-config --cflags statwit) \
        "$TREE/lib/libstatwit.a" $(pkg-config --libs-only-l jansson zlib) -lpthread -ldl -lm
    run "$BATS_TEST_TMPDIR/shop"
    [ "$status" -eq 0 ]
}

@test "every transport, aggregated or not; waiting, marks, reset, errors" {
    compile tests/e2e/client_transports.c transports
    run "$BATS_TEST_TMPDIR/transports"
    echo "$output"
    [ "$status" -eq 0 ]
}

@test "catalogs, lint, snapshots and diffs from C" {
    compile tests/e2e/client_names.c names
    cd "$BATS_TEST_TMPDIR"
    run ./names
    echo "$output"
    [ "$status" -eq 0 ]
    [ "$output" = 'names: ok' ]
}

@test "runs and kept sessions from C" {
    compile tests/e2e/client_runs.c runs
    cd "$BATS_TEST_TMPDIR"
    run ./runs
    echo "$output"
    [ "$status" -eq 0 ]
    [[ $output == *'runs: ok' ]]
}

@test "the CUnit macros print the report, and tell no verdict from a failure" {
    compile tests/e2e/client_macros.c macros -lcunit
    cd "$BATS_TEST_TMPDIR"
    run ./macros
    echo "$output"
    [ "$status" -eq 0 ]
    [[ $output == *'client_macros.c:'*': expectation failed'* ]]
    [[ $output == *'FAIL  incr login.attempt where value == 1 sum == 1'* ]]
    [[ $output == *'- incr login.attempt where value == 1 sum == 1'* ]]
    [[ $output == *'- NO VERDICT: incr {'* ]]
    [[ $output != *'not reached'* ]]
    [[ $output == *': catalog failed'*'FAIL'*'odd-name'*'- catalog empty.json'* ]]
    [[ $output == *': lint failed'*'name-rewritten: odd-name'*'- lint'* ]]
    [[ $output == *'- NO VERDICT: snapshot none.snapshot'* ]]
    [[ $output == *'tests      5      5      2      3'* ]]
}

@test "statwit_assert aborts with the report" {
    sed 's/sum == 1\\n"$/sum == 7\\n"/' client/c/example/shop_test.c >"$BATS_TEST_TMPDIR/wrong.c"
    compile "$BATS_TEST_TMPDIR/wrong.c" wrong
    run "$BATS_TEST_TMPDIR/wrong"
    [ "$status" -eq 134 ]
    [[ $output == *'wrong.c:'*'expectation failed'* ]]
}

@test "the header is C++" {
    "${CXX:-c++}" -std=c++11 -Wall -Wextra -Wpedantic -Werror -o "$BATS_TEST_TMPDIR/plain" tests/e2e/client_plain.cc \
        $(pkg-config --cflags --libs statwit)
    run "$BATS_TEST_TMPDIR/plain"
    [ "$output" = 'c++: ok' ]
}

@test "statwit.hpp is C++11 and C++20, without a warning" {
    for standard in 11 20; do
        "${CXX:-c++}" -std=c++$standard -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror -o "$BATS_TEST_TMPDIR/cpp" \
            tests/e2e/client_cpp.cc $(pkg-config --cflags --libs statwit)
        run "$BATS_TEST_TMPDIR/cpp"
        echo "$output"
        [ "$output" = 'c++: ok' ]
    done
}

@test "the CUnit macros from C++" {
    cp tests/e2e/client_macros.c "$BATS_TEST_TMPDIR/macros.cc"
    "${CXX:-c++}" -std=c++11 -Wall -Wextra -Wpedantic -Werror -Wno-missing-field-initializers -include statwit.hpp \
        -D'statwit_incr(metrics, key)=statwit::incr(metrics, key)' -o "$BATS_TEST_TMPDIR/macros" "$BATS_TEST_TMPDIR/macros.cc" \
        $(pkg-config --cflags --libs statwit) -lcunit
    cd "$BATS_TEST_TMPDIR"
    run ./macros
    echo "$output"
    [ "$status" -eq 0 ]
    [[ $output == *'- NO VERDICT: incr {'* ]]
}

# Each way of the contract's table that FRAMEWORK has, and more of its own, by PROGRAM.
ways() { # framework, program, more ways…
    local framework=$1 program=$2 way n=0
    jq -r --arg f "$framework" 'to_entries[] | select(.value[$f] | startswith("none: ") | not) | .key' client/contract/ways.json >"$program.ways"
    printf '%s\n' "${@:3}" | sed '/^$/d' >>"$program.ways"
    while read -r way; do
        jq -c --arg way "${way% that aborts}" '.[] | select(.way == $way)' client/contract/cases.json >"$program.case"
        [ -s "$program.case" ] || { echo "no case for $way"; return 1; }
        jq .catalog "$program.case" >"$program.json"
        run "$program" "$way" "$(jq -r '.expect | join("\n")' "$program.case")" "$program.json" </dev/null
        echo "$way: $output"
        [ "$status" -eq 1 ] || [[ $way == *aborts && $status -eq 134 ]]
        [[ ${output,,} == *inconclusive* ]]
        n=$((n + 1))
    done <"$program.ways"
    [ "$n" -ge 5 ]
}

@test "inconclusive is never a pass, in any way that the contract lists for C and C++" {
    compile tests/e2e/client_ways.c ways -lcunit
    ways c "$BATS_TEST_TMPDIR/ways" "claim that aborts" "wait that aborts"
    cp tests/e2e/client_ways.c "$BATS_TEST_TMPDIR/ways.cc"
    "${CXX:-c++}" -std=c++11 -Wall -Wextra -Wpedantic -Werror -Wno-missing-field-initializers -o "$BATS_TEST_TMPDIR/ways++" \
        "$BATS_TEST_TMPDIR/ways.cc" $(pkg-config --cflags --libs statwit) -lcunit
    ways c++ "$BATS_TEST_TMPDIR/ways++"
}

@test "a home that cannot be written to" {
    compile client/c/example/shop_test.c shop
    run env HOME=/proc TMPDIR=/proc XDG_CACHE_HOME=/proc XDG_DATA_HOME=/proc XDG_RUNTIME_DIR=/proc "$BATS_TEST_TMPDIR/shop"
    [ "$status" -eq 0 ]
    [ "$output" = 'shop: ok' ]
}

# A project of somebody else, in the test's folder.
consumer() { cp tests/e2e/consumer/* client/c/example/shop_test.c tests/e2e/client_cpp.cc "$BATS_TEST_TMPDIR"; }

@test "a CMake project finds the library by pkg-config" {
    command -v cmake >/dev/null || skip "no cmake"
    consumer
    cmake -S "$BATS_TEST_TMPDIR" -B "$BATS_TEST_TMPDIR/cmake" >"$BATS_TEST_TMPDIR/log" 2>&1 &&
        cmake --build "$BATS_TEST_TMPDIR/cmake" >>"$BATS_TEST_TMPDIR/log" 2>&1 || { cat "$BATS_TEST_TMPDIR/log"; false; }
    (cd "$BATS_TEST_TMPDIR/cmake" && ctest --output-on-failure)
}

@test "a meson project finds the library by pkg-config" {
    command -v meson >/dev/null || skip "no meson"
    consumer
    meson setup "$BATS_TEST_TMPDIR" "$BATS_TEST_TMPDIR/meson" >"$BATS_TEST_TMPDIR/log" 2>&1 &&
        meson test -C "$BATS_TEST_TMPDIR/meson" >>"$BATS_TEST_TMPDIR/log" 2>&1 || { cat "$BATS_TEST_TMPDIR/log"; false; }
}

@test "the symbols are those of exports.txt" {
    make -s abi
}

@test "uninstall leaves nothing of it" {
    make -s install-client uninstall-client PREFIX="$BATS_TEST_TMPDIR/gone" >/dev/null
    run find "$BATS_TEST_TMPDIR/gone" -type f -o -type l
    [ -z "$output" ]
}
