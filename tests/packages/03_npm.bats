#!/usr/bin/env bats
# The npm packages, installed offline.
load packages

setup_file() { command -v npm >/dev/null || export MISSING="no npm on this machine"; }

pack() { find "$TOP/build/npm" -name "statwit-$1*.tgz"; }
platform() { node -p 'process.platform + "-" + process.arch'; }
# No registry: what is not in the two files is not had. --offline fails at once instead of asking.
install() { npm install --silent --offline --no-audit --no-fund "$@"; }

@test "npm installs the two files offline, and npx runs the binary of the package" {
    echo '{"private": true}' >package.json
    install --omit=optional "$(pack "$VERSION")" "$(pack "$(platform)")"
    run npx --offline statwit --version
    exits 0
    has "statwit $VERSION"
    run node -e 'console.log(require("statwit").findBinary())'
    has "node_modules/@statwit/$(platform)/bin/statwit"
}

@test "without the optional package the error says so, and a recorder of STATWIT_BIN works" {
    echo '{"private": true}' >package.json
    install --omit=optional "$(pack "$VERSION")"
    run env PATH="$(dirname "$(command -v node)")" node node_modules/statwit/bin.js --version
    exits 3
    has "optional dependencies"
    has STATWIT_BIN
    STATWIT_BIN=$STATWIT_STATIC run node -e '
        const statwit = require("statwit")
        statwit.Recorder.start().then(async r => { console.log((await r.status()).version); await r.stop() })'
    has "$VERSION"
}

@test "both packages have one version, exactly, and run nothing at install" {
    for file in "$TOP"/build/npm/*.tgz; do
        tar -xOzf "$file" package/package.json >described.json
        [ "$(jq -r .version described.json)" = "$VERSION" ]
        jq -e '(.scripts // {}) | has("install") or has("postinstall") or has("preinstall") | not' described.json
        tar -tzf "$file" | grep -qx package/LICENSE
    done
    tar -xOzf "$(pack "$VERSION")" package/package.json | jq -e --arg v "$VERSION" '[.optionalDependencies[] == $v] | all'
    tar -tzf "$(pack "$(platform)")" | grep -q gnutls28/COPYING.LESSER
}

@test "the npm packages are the same when they are made again" {
    sha256sum "$TOP"/build/npm/*.tgz >before
    (cd "$TOP" && .ci/pack/npm)
    sha256sum --check --quiet before
}
