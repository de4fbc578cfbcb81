#!/usr/bin/env bats
# What `make install` puts where, and that `make uninstall` takes all of it away again.

setup() {
    [[ $STATWIT == */release/* ]] || skip "the installed tree is the release one"
    TREE="$BATS_TEST_TMPDIR/a tree"
    make -s install DESTDIR="$TREE" PREFIX=/usr
}

@test "every man page, each in its section; the binary; the completions; the unit" {
    for file in bin/statwit share/man/man1/statwit.1 share/man/man7/statwit-expect.7 share/man/man7/statwit-doubles.7 share/man/man5/statwit-catalog.5 \
        share/man/man3/libstatwit.3 share/bash-completion/completions/statwit lib/systemd/system/statwit.service; do
        [ -s "$TREE/usr/$file" ] || { echo "missing: $file"; return 1; }
    done
    run "$TREE/usr/bin/statwit" --version
    [ "$status" -eq 0 ]
}

@test "the licence, the changes and the schema are installed too" {
    for file in share/doc/statwit/LICENSE share/doc/statwit/CHANGES.md share/statwit/schema/catalog.schema.json share/statwit/schema/openapi.yaml \
        share/statwit/schema/sqlite/views.sql share/statwit/schema/clickhouse/users.sql; do
        [ -s "$TREE/usr/$file" ] || { echo "missing: $file"; return 1; }
    done
}

@test "LIBDIR says where the library goes, and pkg-config tells" {
    make -s install DESTDIR="$TREE 2" PREFIX=/usr LIBDIR=/usr/lib/triplet
    [ -s "$TREE 2/usr/lib/triplet/libstatwit.so.0" ]
    [ -z "$(find "$TREE 2/usr/lib" -name 'libstatwit*' -not -path '*/triplet/*')" ]
    run env PKG_CONFIG_PATH="$TREE 2/usr/lib/triplet/pkgconfig" pkg-config --variable=libdir statwit
    [ "$output" = /usr/lib/triplet ]
    make -s uninstall DESTDIR="$TREE 2" PREFIX=/usr LIBDIR=/usr/lib/triplet
    [ -z "$(find "$TREE 2" -type f -o -type l)" ]
}

@test "a library where the run-time linker does not look: install says what is left to do" {
    run .ci/pack/tell-linker "$TREE/usr/lib"
    [ "$status" -eq 0 ]
    [[ $output == *"$TREE/usr/lib"* ]]
    [[ $output == *ldconfig* ]]
}

@test "uninstall leaves nothing" {
    make -s uninstall DESTDIR="$TREE" PREFIX=/usr
    left=$(find "$TREE" -type f -o -type l)
    echo "$left"
    [ -z "$left" ]
}
