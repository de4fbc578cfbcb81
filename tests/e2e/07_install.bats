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

@test "uninstall leaves nothing" {
    make -s uninstall DESTDIR="$TREE" PREFIX=/usr
    left=$(find "$TREE" -type f -o -type l)
    echo "$left"
    [ -z "$left" ]
}
