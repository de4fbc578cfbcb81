#!/usr/bin/env bats
# What a release hands out: complete, named in the checksums, and the sources of all that is inside.
load packages

setup_file() {
    cd "$BATS_TEST_DIRNAME/../.." || return
    if [ -n "$(git status --porcelain)" ]; then
        export MISSING="the tree differs from the last commit"
    else
        .ci/pack/dist
    fi
}

DIST=$TOP/build/dist

@test "every file is in SHA256SUMS, with its checksum" {
    cd "$DIST"
    sha256sum --check --quiet SHA256SUMS
    [ "$(find . -type f ! -name SHA256SUMS | wc -l)" -eq "$(wc -l <SHA256SUMS)" ]
}

@test "the third-party sources are those of the lock, every one" {
    tar -xf "$DIST/statwit-$VERSION-third-party-sources.tar" --strip-components=1
    awk '!/^#/ { print $3 "  " $4 }' "$TOP/.ci/pack/sources.lock" | sha256sum --check --quiet
}

@test "the list of what is inside names all of it, with licences" {
    for package in $(awk '!/^#/ { print $1 }' "$TOP/.ci/pack/sources.lock" | sort -u) musl; do
        jq -e --arg p "$package" '.packages[] | select(.name == $p) | .licenseConcluded | length > 0' "$DIST/sbom.spdx.json"
    done
    jq -e '.spdxVersion == "SPDX-2.3" and (.relationships | length) == (.packages | length)' "$DIST/sbom.spdx.json"
}

@test "the archive with the binary runs where it is unpacked, and brings manuals, completions and licences" {
    tar -xzf "$DIST/statwit-$VERSION-linux-$ARCH.tar.gz" --strip-components=1
    run ./statwit run --expect 'incr a sum == 1' -- ./statwit send 'a:1|c'
    exits 0
    [ -s share/man/man1/statwit.1 ] && [ -s share/bash-completion/completions/statwit ] && [ -s licences/gnutls28/COPYING.LESSER ]
}

@test "the archive of the sources is whole: without git it is built, works, and its tests are there" {
    tar -xzf "$DIST/statwit-$VERSION.tar.gz" --strip-components=1
    [ ! -e .git ]
    run env -u MAKEFLAGS -u MAKELEVEL make -s "-j$(nproc)" all build/release/unit/core/number_test
    exits 0
    build/statwit run -q --expect 'incr a sum == 1' -- build/statwit send 'a:1|c'
    build/release/unit/core/number_test
    run env -u MAKEFLAGS -u MAKELEVEL make -s help
    exits 0
}
