#!/usr/bin/env bats
# The checks of the source itself: none that passes because it did nothing.

@test "a tool that is missing fails the lint that is told to use all" {
    local tool tools=$BATS_TEST_TMPDIR/bin
    mkdir "$tools"
    for tool in bash env mktemp rm find nproc; do ln -s "$(command -v $tool)" "$tools/"; done
    PATH=$tools LINT_ALL=1 run tests/support/lint -- -- --
    echo "$output"
    [ "$status" -eq 1 ]
    for tool in clang-format shellcheck cppcheck mandoc gcc clang-tidy; do
        [[ $output == *"lint: $tool is not installed"* ]]
    done
    PATH=$tools run tests/support/lint -- -- --
    [ "$status" -eq 0 ]
}

@test "make help names each target, those with digits too" {
    run make -s help
    for target in run test unit e2e fault soak fuzz interop bench lint dist deb; do
        [[ $output == *"  $target "* ]] || { echo "not named: $target"; return 1; }
    done
}
