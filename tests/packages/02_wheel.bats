#!/usr/bin/env bats
# The wheels, installed offline into an environment of their own.
load packages

setup_file() {
    python3 -m venv "$BATS_FILE_TMPDIR/venv"
    env -u STATWIT_BIN "$BATS_FILE_TMPDIR/venv/bin/pip" install --disable-pip-version-check -q --no-index --find-links "$BATS_TEST_DIRNAME/../../build/wheel" statwit
}

wheel() { find "$TOP/build/wheel" -name "statwit-*$1*.whl"; }

@test "pip takes the wheel with the binary, and the command of the package runs it" {
    PATH=/usr/bin:/bin run "$BATS_FILE_TMPDIR/venv/bin/statwit" --version
    exits 0
    has "statwit $VERSION"
    PATH=/usr/bin:/bin run "$BATS_FILE_TMPDIR/venv/bin/python" -m statwit run --expect 'no any *' -- true
    exits 0
}

@test "a recorder of the package starts and judges" {
    cat >story.py <<'END'
import socket, statwit
assert "site-packages" in statwit.find_binary(), statwit.find_binary()
with statwit.Recorder.start() as recorder, recorder.session() as metrics:
    socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"a:1|c", (metrics.host, metrics.port))
    metrics.expect("incr a sum == 1")
END
    "$BATS_FILE_TMPDIR/venv/bin/python" story.py
}

@test "pip install --target works, from a folder that nobody may write to" {
    "$BATS_FILE_TMPDIR/venv/bin/pip" install --disable-pip-version-check -q --no-index --target there "$(wheel "manylinux*$ARCH")"
    chmod -R a-w there
    HOME=/nonexistent PYTHONPATH=$PWD/there run python3 -m statwit --version
    chmod -R u+w there
    has "statwit $VERSION"
}

@test "the wheel without a binary says where a binary may come from, and does not call itself" {
    python3 -m venv bare
    bare/bin/pip install --disable-pip-version-check -q --no-index "$(wheel none-any)"
    PATH=$PWD/bare/bin:/usr/bin:/bin run timeout 20 bare/bin/statwit --version
    exits 3
    has STATWIT_BIN
    STATWIT_BIN=$STATWIT_STATIC run bare/bin/statwit --version
    has "statwit $VERSION"
}

@test "the wheels keep to their format: every file is in RECORD with its checksum, and licences go along" {
    python3 - "$TOP"/build/wheel/*.whl <<'END'
import base64, hashlib, sys, zipfile
for name in sys.argv[1:]:
    with zipfile.ZipFile(name) as wheel:
        names = wheel.namelist()
        record = next(n for n in names if n.endswith(".dist-info/RECORD"))
        rows = [line.rsplit(",", 2) for line in wheel.read(record).decode().splitlines()]
        assert sorted(row[0] for row in rows) == sorted(names), name
        for path, digest, size in rows:
            if path != record:
                body = wheel.read(path)
                assert digest == "sha256=" + base64.urlsafe_b64encode(hashlib.sha256(body).digest()).rstrip(b"=").decode(), path
                assert int(size) == len(body), path
        assert any(n.endswith("licenses/LICENSE") for n in names), name
        assert "any" in name or any(n.endswith("gnutls28/COPYING.LESSER") for n in names), name
END
}

@test "the wheels are the same when they are made again" {
    sha256sum "$TOP"/build/wheel/*.whl >before
    (cd "$TOP" && .ci/pack/wheel)
    sha256sum --check --quiet before
}
