#!/usr/bin/env bats
# The static binary, where there is nothing else: no library, no shell, no /proc, no /etc.
load packages

@test "it is static, stripped, and knows no path of the machine that built it" {
    run readelf --program-headers --sections --wide "$STATWIT_STATIC"
    exits 0
    for unwanted in INTERP .dynamic .symtab .debug_info; do
        [[ $output != *"$unwanted"* ]] || { echo "has $unwanted"; return 1; }
    done
    for path in "$TOP" "$HOME/.cache"; do
        run grep -caF "$path" "$STATWIT_STATIC"
        [ "$output" = 0 ] || { echo "holds $path"; return 1; }
    done
}

@test "status, send and expect work in an empty root" {
    empty_root
    cp "$STATWIT_STATIC" "$ROOT/statwit"
    start_inside /statwit serve --dogstatsd-port 0 --http-port 0 --db :memory:
    run inside /statwit status --url "$URL" --wait 10s -q
    exits 0
    inside /statwit send --url "$URL" 'login.attempt:1|c'
    run inside /statwit expect --url "$URL" 'incr login.attempt sum == 1'
    exits 0
    run inside /statwit expect --url "$URL" 'incr login.attempt sum == 2'
    exits 1
    has "sum is 1"
    run inside /statwit ls --url "$URL"
    has login.attempt
}

@test "run records what its command sends, in an empty root" {
    empty_root
    cp "$STATWIT_STATIC" "$ROOT/statwit"
    run inside /statwit run --expect 'incr a sum == 1' -- /statwit send 'a:1|c'
    exits 0
}

@test "TLS works in an empty root, and a certificate that nobody vouched for is refused" {
    empty_root
    cp "$STATWIT_STATIC" "$ROOT/statwit"
    start_inside /statwit serve --dogstatsd-port 0 --http-port 0 --db :memory: --tls-self-signed localhost
    [[ $URL == https://* ]]
    run inside /statwit status --url "$URL" --ca-file /statwit-ca.pem --wait 10s -q
    exits 0
    run inside /statwit status --url "$URL"
    exits 3
    has certificate
}

@test "an address by name needs the system's files, and says which name it could not find" {
    empty_root
    cp "$STATWIT_STATIC" "$ROOT/statwit"
    run inside /statwit status --url http://statwit.invalid:8125
    exits 3
    has statwit.invalid
}

@test "letters of every script are letters: names and tags are read as by the ordinary binary" {
    for text in 'Größe.Ж:1|c|#Ключ:ÄÖ,名:値' 'a:1|c|#İ:x'; do
        "$STATWIT_STATIC" run -q --db static.db -- "$STATWIT_STATIC" send "$text"
        "$STATWIT_STATIC" lint --db static.db >static.lint || true
        "$TOP/build/release/statwit" lint --db static.db >dynamic.lint || true
        diff static.lint dynamic.lint
        rm -f static.db*
    done
}

@test "licences and sources of all that is inside go along" {
    licences=$(dirname "$STATWIT_STATIC")/licences
    awk '!/^#/ { print $1 }' "$TOP/.ci/pack/sources.lock" | sort -u | while read -r package; do
        [ -s "$licences/$package/copyright" ] || { echo "no licence of $package"; exit 1; }
    done
    [ -s "$licences/musl/COPYRIGHT" ]
    [ -s "$licences/gnutls28/COPYING.LESSER" ]
    [ -s "$licences/nettle/COPYING.LESSERv3" ]
}

@test "built again in another folder it is the same, byte for byte" {
    [ -n "${PACKAGES_AGAIN-}" ] || skip "compiles all once more: PACKAGES_AGAIN=1"
    mkdir "another folder" && cd "another folder"
    (cd "$TOP" && { git ls-files -cz --exclude-standard 2>/dev/null || find . -path ./build -prune -o -type f -print0; } | tar --null -cf - -T -) | tar -xf -
    env -u MAKEFLAGS -u MAKELEVEL make -s static
    cmp "build/static/statwit-$ARCH" "$STATWIT_STATIC"
}
