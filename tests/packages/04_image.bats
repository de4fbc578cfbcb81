#!/usr/bin/env bats
# The OCI image: its layout, and its contents run by chroot as its user.
load packages

ARCHIVE=$TOP/build/image/statwit-$VERSION.tar
case $ARCH in x86_64) OCI_ARCH=amd64 ;; *) OCI_ARCH=arm64 ;; esac

blob() { cat "oci/blobs/sha256/${1#sha256:}"; }
# The manifest for this machine, through an index of several architectures where there is one.
manifest() {
    local digest
    digest=$(jq -r '.manifests[0].digest' oci/index.json)
    if blob "$digest" | jq -e .manifests >/dev/null; then
        digest=$(blob "$digest" | jq -r --arg a "$OCI_ARCH" '.manifests[] | select(.platform.architecture == $a).digest')
    fi
    blob "$digest"
}
config() { blob "$(manifest | jq -r .config.digest)"; }
unpack() { mkdir -p oci && tar -xf "$ARCHIVE" -C oci; }
unpack_root() {
    empty_root
    blob "$(manifest | jq -r '.layers[0].digest')" | tar -xz -p -C "$ROOT"
}
# As a runtime starts it: entry point, command, environment and user of the configuration.
environment() { config | jq -r '.config.Env[]'; }

@test "every blob is what its name says, and the layer is the one that the configuration names" {
    unpack
    for file in oci/blobs/sha256/*; do [ "$(sha256sum <"$file" | cut -d' ' -f1)" = "${file##*/}" ]; done
    layer=$(blob "$(manifest | jq -r '.layers[0].digest')" | gunzip | sha256sum | cut -d' ' -f1)
    [ "sha256:$layer" = "$(config | jq -r '.rootfs.diff_ids[0]')" ]
    [ "$(config | jq -r .architecture)" = "$OCI_ARCH" ]
}

@test "user 65534, serve by default, a health check without a shell" {
    unpack
    [ "$(config | jq -r .config.User)" = 65534:65534 ]
    [ "$(config | jq -c '.config.Entrypoint + .config.Cmd')" = '["/statwit","serve"]' ]
    [ "$(config | jq -c .config.Healthcheck.Test)" = '["CMD","/statwit","status","--wait","1s","-q"]' ]
}

@test "its contents serve, record, and are healthy, by environment alone" {
    unpack
    unpack_root
    mapfile -t env < <(environment)
    mkfifo ready.fifo
    env -i "${env[@]}" STATWIT_HTTP_PORT=0 STATWIT_DOGSTATSD_PORT=0 STATWIT_NO_TOKEN=true STATWIT_DB=/data/statwit.db \
        "$CHROOT" --userspec=65534:65534 "$ROOT" /statwit serve >ready.fifo 2>serve.err 3>&- </dev/null &
    SERVER=$!
    read -r -t 60 READY <ready.fifo || { cat serve.err; return 1; }
    url=http://127.0.0.1:$(jq -r '.http | split(":")[-1]' <<<"$READY")
    run env -i "${env[@]}" STATWIT_URL="$url" "$CHROOT" --userspec=65534:65534 "$ROOT" /statwit status --wait 1s -q
    exits 0
    run env -i STATWIT_URL="$url" "$CHROOT" --userspec=65534:65534 "$ROOT" /statwit send 'a:1|c'
    exits 0
    run env -i STATWIT_URL="$url" "$CHROOT" --userspec=65534:65534 "$ROOT" /statwit expect 'incr a sum == 1'
    exits 0
    [ -s "$ROOT/data/statwit.db" ]
    end_server
    run env -i STATWIT_URL="$url" "$CHROOT" --userspec=65534:65534 "$ROOT" /statwit status --wait 100ms -q
    exits 3
}

@test "with a token of its own making it is healthy too" {
    unpack
    unpack_root
    mapfile -t env < <(environment)
    mkfifo ready.fifo
    env -i "${env[@]}" STATWIT_HTTP_PORT=0 STATWIT_DOGSTATSD_PORT=0 \
        "$CHROOT" --userspec=65534:65534 "$ROOT" /statwit serve >ready.fifo 2>serve.err 3>&- </dev/null &
    SERVER=$!
    read -r -t 60 READY <ready.fifo || { cat serve.err; return 1; }
    url=http://127.0.0.1:$(jq -r '.http | split(":")[-1]' <<<"$READY")
    run env -i STATWIT_URL="$url" "$CHROOT" --userspec=65534:65534 "$ROOT" /statwit status --wait 1s -q
    exits 0
}

@test "the image is the same when it is made again" {
    before=$(sha256sum <"$ARCHIVE")
    (cd "$TOP" && .ci/pack/image)
    [ "$(sha256sum <"$ARCHIVE")" = "$before" ]
}
