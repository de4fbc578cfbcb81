#!/usr/bin/env bats
# The packages for arm64, by an emulator of its processor. They are made when `make static ARCH=aarch64` was.
load packages

ARM=$TOP/build/static/statwit-aarch64
EMULATOR=$(command -v qemu-aarch64-static || command -v qemu-aarch64 || true)

setup_file() {
    cd "$BATS_TEST_DIRNAME/../.." || return
    if [ ! -x build/static/statwit-aarch64 ]; then
        export MISSING="no static binary for arm64: make static ARCH=aarch64"
    else
        .ci/pack/wheel && .ci/pack/npm && .ci/pack/image && .ci/pack/deb "$(sed -n 's/^VERSION := //p' Makefile)" foreign
    fi
}

# On arm64 itself there is nothing to emulate.
arm() {
    [ "$ARCH" = aarch64 ] || [ -n "$EMULATOR" ] || skip "no emulator of arm64 here: .ci/deps arm64"
    local program=$1
    shift
    if [ "$ARCH" = aarch64 ]; then "$program" "$@"; else "$EMULATOR" "$program" "$@"; fi
}

# The story of the smoke: serve, ask, send, judge, end.
story() { # program
    arm "$1" --version | grep -qx "statwit $VERSION"
    mkfifo ready.fifo
    arm "$1" serve --private >ready.fifo 2>serve.err 3>&- < <(sleep 600 3>&-) &
    SERVER=$!
    read -r -t 120 READY <ready.fifo || { cat serve.err; return 1; }
    export STATWIT_URL
    STATWIT_URL=$(jq -r .http <<<"$READY")
    arm "$1" status --wait 60s -q
    arm "$1" send 'login.attempt:1|c|#env:ci' 'took:3.5|ms' 'Größe:2|g' 'bad'
    run arm "$1" expect 'incr login.attempt{env:ci} sum == 1' 'timing took last == 3.5' 'gauge Größe last == 2' 'reject samples == 1'
    exits 0
    run arm "$1" expect 'incr login.attempt sum == 2'
    exits 1
    has "sum is 1"
    run arm "$1" ls --json
    has login.attempt
    unset STATWIT_URL
    end_server
}

@test "the binary is for arm64, static, stripped, and knows no path of the machine that built it" {
    run readelf --file-header --program-headers --sections --wide "$ARM"
    exits 0
    has AArch64
    for unwanted in INTERP .dynamic .symtab .debug_info; do
        [[ $output != *"$unwanted"* ]] || { echo "has $unwanted"; return 1; }
    done
    run grep -caF "$TOP" "$ARM"
    [ "$output" = 0 ]
}

@test "it serves, records, judges and ends" { story "$ARM"; }

@test "it keeps a recording that the binary of this machine reads" {
    if [ "$ARCH" = aarch64 ]; then command=("$ARM"); else
        arm "$ARM" --version
        command=("$EMULATOR" "$ARM")
    fi
    "${command[@]}" run -q --db kept.db --expect 'incr a sum == 1' -- "${command[@]}" send 'a:1|c'
    run "$STATWIT_STATIC" expect --db kept.db 'incr a sum == 1'
    exits 0
}

@test "TLS: a certificate of its own is made and trusted" {
    mkfifo ready.fifo
    arm "$ARM" serve --private --tls-self-signed localhost >ready.fifo 2>serve.err 3>&- < <(sleep 600 3>&-) &
    SERVER=$!
    read -r -t 120 READY <ready.fifo || { cat serve.err; return 1; }
    run "$STATWIT_STATIC" status --url "$(jq -r .http <<<"$READY")" --ca-file statwit-ca.pem --wait 60s -q
    exits 0
}

@test "wheel: pip knows its tags, and its binary tells its story" {
    wheel=$(find "$TOP/build/wheel" -name "statwit-*-py3-none-manylinux2014_aarch64.manylinux_2_17_aarch64.musllinux_1_1_aarch64.whl")
    [ -n "$wheel" ]
    for platform in manylinux2014_aarch64 manylinux_2_17_aarch64 musllinux_1_1_aarch64; do
        rm -rf there
        python3 -m pip install --disable-pip-version-check -q --no-index --no-deps --only-binary :all: --platform "$platform" --target there "$wheel"
        cmp there/statwit/bin/statwit "$ARM"
    done
    story there/statwit/bin/statwit
}

@test "npm: @statwit/linux-arm64 says its processor, and is the optional dependency that the helper names" {
    tar -xzf "$TOP/build/npm/statwit-linux-arm64-$VERSION.tgz"
    jq -e '.name == "@statwit/linux-arm64" and .cpu == ["arm64"] and .os == ["linux"]' package/package.json
    cmp package/bin/statwit "$ARM"
    [ -x package/bin/statwit ]
    tar -xOzf "$TOP/build/npm/statwit-$VERSION.tgz" package/package.json | jq -e '.optionalDependencies | has("@statwit/linux-arm64") and has("@statwit/linux-x64")'
}

@test "image: one index of both architectures, each with its own binary" {
    mkdir oci
    tar -xf "$TOP/build/image/statwit-$VERSION.tar" -C oci
    index=$(jq -r '.manifests[0].digest | split(":")[1]' oci/index.json)
    [ "$(jq -c '[.manifests[].platform.architecture] | sort' "oci/blobs/sha256/$index")" = '["amd64","arm64"]' ]
    manifest=$(jq -r '.manifests[] | select(.platform.architecture == "arm64").digest | split(":")[1]' "oci/blobs/sha256/$index")
    layer=$(jq -r '.layers[0].digest | split(":")[1]' "oci/blobs/sha256/$manifest")
    tar -xzf "oci/blobs/sha256/$layer" statwit
    cmp statwit "$ARM"
}

@test "deb: for arm64, of the static binary, with manuals and licences; lintian finds no error" {
    deb=$TOP/build/deb/statwit_${VERSION}_arm64.deb
    [ "$(dpkg-deb -f "$deb" Architecture)" = arm64 ]
    dpkg-deb -x "$deb" tree
    cmp tree/usr/bin/statwit "$ARM"
    for file in man/man1/statwit.1.gz man/man7/statwit-expect.7.gz doc/statwit/copyright doc/statwit/changelog.gz statwit/schema/openapi.yaml \
        bash-completion/completions/statwit doc/statwit/licences/gnutls28/COPYING.LESSER; do
        [ -s "tree/usr/share/$file" ] || { echo "missing: $file"; return 1; }
    done
    command -v lintian >/dev/null || skip "no lintian on this machine"
    run lintian --allow-root --fail-on error "$deb"
    exits 0
}

@test "Go: statwitbin embeds it for linux/arm64" {
    "$TOP/tests/helpers/go-modules" "$VERSION" proxy "arm64=$ARM"
    zip=$(find proxy -path '*statwitbin/@v/*.zip')
    python3 - "$zip" "$ARM" <<'END'
import sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as module:
    name = next(n for n in module.namelist() if n.endswith("bin/linux_arm64/statwit"))
    assert module.read(name) == open(sys.argv[2], "rb").read()
END
}
