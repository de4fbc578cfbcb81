#!/usr/bin/env bats
# `make install` on a copy of this system, into places where people install: what is there afterwards works without a further step, or
# with the one that install says.
load packages

PROGRAM='
#include <statwit.h>
int main(void) { struct statwit_options o = {0}; struct statwit_metrics *m = statwit_open(&o, 0); statwit_close(m); return !m; }'

setup_file() {
    (cd "$BATS_TEST_DIRNAME/../.." && env -u MAKEFLAGS -u MAKELEVEL make -s all)
    export TOP
}

# The copy starts here; the sources and what was built are the same as outside.
begin() { printf 'cd %q\nunset MAKEFLAGS MAKELEVEL\nfind /usr /opt /etc /lib/systemd -name "*statwit*" | sort >/before\ncat >/tmp/a.c <<"C"%s\nC\n' "$TOP" "$PROGRAM"; }

@test "/usr/local: the program serves, a program with -lstatwit is compiled and starts, shells and man find their files" {
    { begin; cat <<'END'; } | on_a_copy
make -s install PREFIX=/usr/local >/dev/null
cd /
[ "$(command -v statwit)" = /usr/local/bin/statwit ]
statwit run -q --expect 'incr a sum == 1' -- statwit send 'a:1|c'
cc -o /tmp/a /tmp/a.c $(pkg-config --cflags --libs statwit)
/tmp/a
for file in man/man1/statwit.1 man/man3/libstatwit.3 man/man5/statwit-catalog.5 man/man7/statwit-expect.7 doc/statwit/LICENSE doc/statwit/CHANGES.md \
    statwit/schema/catalog.schema.json statwit/schema/openapi.yaml statwit/schema/sqlite/views.sql bash-completion/completions/statwit \
    zsh/site-functions/_statwit fish/vendor_completions.d/statwit.fish; do
    [ -s "/usr/local/share/$file" ] || { echo "missing: $file"; exit 1; }
done
grep -q ExecStart=/usr/local/bin/statwit /usr/local/lib/systemd/system/statwit.service
END
}

@test "uninstall takes away all that install put there, and nothing else" {
    { begin; cat <<'END'; } | on_a_copy
for prefix in /usr/local /opt/statwit; do
    make -s install PREFIX=$prefix >/dev/null
    make -s uninstall PREFIX=$prefix >/dev/null
done
find /usr /opt /etc /lib/systemd -name '*statwit*' -not -path /opt/statwit | sort | diff /before -
[ -z "$(find /opt/statwit -type f -o -type l)" ]
END
}

@test "a prefix that the run-time linker does not know: install says the step, and after it the program starts" {
    { begin; cat <<'END'; } | on_a_copy
make -s install PREFIX=/opt/statwit >/tmp/said
grep -q '/opt/statwit/lib: add a line with it to a file in /etc/ld.so.conf.d, then run ldconfig' /tmp/said
export PKG_CONFIG_PATH=/opt/statwit/lib/pkgconfig
cc -o /tmp/a /tmp/a.c $(pkg-config --cflags --libs statwit)
no /tmp/a 2>/dev/null
echo /opt/statwit/lib >/etc/ld.so.conf.d/statwit.conf
ldconfig
/tmp/a
make -s install PREFIX=/opt/statwit >/tmp/said
no grep ldconfig /tmp/said
END
}

@test "into a home, without root: install says what to set, and with that the program starts" {
    { begin; cat <<'END'; } | on_a_copy
mkdir /tmp/home && chown 65534:65534 /tmp/home
as_nobody() { setpriv --reuid 65534 --regid 65534 --clear-groups "$@"; }
as_nobody make -s install PREFIX=/tmp/home/.local >/tmp/said
grep -q 'or set LD_LIBRARY_PATH=/tmp/home/.local/lib' /tmp/said
export PKG_CONFIG_PATH=/tmp/home/.local/lib/pkgconfig
cc -o /tmp/a /tmp/a.c $(pkg-config --cflags --libs statwit)
LD_LIBRARY_PATH=/tmp/home/.local/lib as_nobody /tmp/a
as_nobody /tmp/home/.local/bin/statwit run -q --expect 'no any *' -- true
END
}

@test "for a package: DESTDIR has all, and nothing of this system is touched" {
    { begin; cat <<'END'; } | on_a_copy
cp /etc/ld.so.cache /tmp/cache
make -s install DESTDIR=/tmp/tree PREFIX=/usr LIBDIR=/usr/lib/triplet >/tmp/said
no grep ldconfig /tmp/said
cmp /etc/ld.so.cache /tmp/cache
find /usr /opt /etc /lib/systemd -name '*statwit*' | sort | diff /before -
no grep -rlF /tmp/tree /tmp/tree
grep -q '^libdir=/usr/lib/triplet\|^libdir=${prefix}/lib/triplet' /tmp/tree/usr/lib/triplet/pkgconfig/statwit.pc
END
}
