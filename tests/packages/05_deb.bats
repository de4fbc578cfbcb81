#!/usr/bin/env bats
# The Debian packages: what lintian says, and install, upgrade, remove in a copy of this system that nothing outlives.
load packages

DEBS=$TOP/build/deb
HOST=$(dpkg --print-architecture 2>/dev/null || true)

setup_file() {
    command -v dh >/dev/null || {
        export MISSING="no debhelper on this machine"
        return
    }
    (cd "$BATS_TEST_DIRNAME/../.." && env -u MAKEFLAGS -u MAKELEVEL make -s deb)
}

@test "lintian finds no error" {
    command -v lintian >/dev/null || skip "no lintian on this machine"
    run lintian --allow-root --fail-on error "$DEBS"/*_"$HOST".deb
    exits 0
}

@test "what the packages need is named with versions; libcurl is for https, so it is recommended" {
    run dpkg-deb -f "$DEBS"/statwit_*_"$HOST".deb Depends
    has "libmicrohttpd12 (>= "
    run dpkg-deb -f "$DEBS"/statwit_*_"$HOST".deb Recommends
    has "libcurl4"
    run dpkg-deb -f "$DEBS"/libstatwit-dev_*_"$HOST".deb Depends
    has "libstatwit0 (= $VERSION)"
}

@test "install: the program serves, its man page is there, a program is compiled and starts" {
    on_a_copy "$DEBS"/*_"$HOST".deb <<'END'
dpkg -i /files/*.deb >/dev/null
statwit run -q --expect 'incr a sum == 1' -- statwit send 'a:1|c'
dpkg -L statwit | grep -q /man1/statwit.1.gz
grep -q . /usr/share/statwit/schema/catalog.schema.json
cat >/tmp/a.c <<'C'
#include <statwit.h>
int main(void) { struct statwit_options o = {0}; struct statwit_metrics *m = statwit_open(&o, 0); statwit_close(m); return !m; }
C
cc -o /tmp/a /tmp/a.c $(pkg-config --cflags --libs statwit)
/tmp/a
cc -static-libgcc -o /tmp/b /tmp/a.c /usr/lib/*/libstatwit.a $(pkg-config --libs jansson zlib) -lpthread -lm
/tmp/b
END
}

@test "without libcurl: status, send, expect, run and the library work; https says what to install" {
    on_a_copy "$DEBS"/*_"$HOST".deb <<'END'
dpkg -i /files/*.deb >/dev/null
find / -xdev -name 'libcurl*.so*' -delete 2>/dev/null
ldconfig
statwit run -q --expect 'incr a sum == 1' -- statwit send 'a:1|c'
statwit run -q -- sh -euc 'statwit status --wait 30s -q; statwit send "b:2|c"; statwit expect "incr b sum == 2"; statwit ls | grep -q b; eval "$(statwit session new)"'
if statwit status --url https://127.0.0.1:1 2>/tmp/why; then exit 1; fi
grep -q 'install libcurl4' /tmp/why
cat >/tmp/a.c <<'C'
#include <statwit.h>
int main(void) { struct statwit_recorder *r = statwit_recorder_start(0, 0); int bad = !r || statwit_recorder_wait(r, 30000, 0); statwit_recorder_close(r); return bad; }
C
cc -o /tmp/a /tmp/a.c $(pkg-config --cflags --libs statwit)
/tmp/a
END
}

@test "upgrade keeps a recording; remove and purge leave nothing" {
    on_a_copy "$DEBS"/*_"$HOST".deb <<'END'
dpkg -i /files/*.deb >/dev/null
statwit run -q --db /var/tmp/kept.db -- statwit send 'a:1|c'
mkdir /newer
for deb in /files/*.deb; do
    rm -rf /tmp/open
    dpkg-deb -R "$deb" /tmp/open
    sed -i 's/^Version: .*/Version: 99.0/; s/libstatwit0 (= [^)]*)/libstatwit0 (= 99.0)/' /tmp/open/DEBIAN/control
    dpkg-deb --root-owner-group -b /tmp/open "/newer/$(basename "$deb")" >/dev/null
done
dpkg -i /newer/*.deb >/dev/null
[ "$(dpkg-query -W -f '${Version}' statwit)" = 99.0 ]
statwit expect --db /var/tmp/kept.db 'incr a sum == 1'
dpkg -r libstatwit-dev libstatwit0 statwit >/dev/null
dpkg -P libstatwit-dev libstatwit0 statwit >/dev/null 2>&1
hash -r
no command -v statwit
left=$(find /usr /lib/systemd /etc -name '*statwit*' -not -path '/usr/share/doc/*' 2>/dev/null | grep -v -e /usr/local/ -e /site-packages/ -e /node_modules/ || true)
echo "$left"
[ -z "$left" ]
END
}

@test "the packages are the same when they are made again" {
    [ -n "${PACKAGES_AGAIN-}" ] || skip "builds all once more: PACKAGES_AGAIN=1"
    sha256sum "$DEBS"/*_"$HOST".deb >before
    (cd "$TOP" && make -s deb)
    sha256sum --check --quiet before
}
