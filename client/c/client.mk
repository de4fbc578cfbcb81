# libstatwit as it is installed: a shared library, a static one, the headers, pkg-config, man pages.
SOVERSION := 0
SO        := libstatwit.so.$(VERSION)
CLIENT_MAN := $(wildcard client/c/*.3)

all: $(OUT)/$(SO)

$(OUT)/libstatwit.o: $(CLIENT_OBJ)
	@ld -r -o $@ $^
	@objcopy --localize-hidden $@

# Its few thread-local bytes are reached without a call; a library that is loaded later still finds room for them.
$(OUT)/client/%.o: CFLAGS += -ftls-model=initial-exec

# One object whose only symbols are the public ones, so that none can clash with a program's own.
$(OUT)/libstatwit.a: $(OUT)/libstatwit.o
	@rm -f $@
	@ar rcs $@ $^

$(OUT)/$(SO): $(CLIENT_OBJ)
	$(LINK) -shared -Wl,-soname,libstatwit.so.$(SOVERSION) $(CLIENT_SO_FLAGS_$(VARIANT)) -o $@ $^ $(CLIENT_LIBS)
	@ln -sfn $(SO) $(OUT)/libstatwit.so.$(SOVERSION)
	@ln -sfn libstatwit.so.$(SOVERSION) $(OUT)/libstatwit.so
CLIENT_SO_FLAGS_release := -Wl,-z,defs

.PHONY: abi
abi: $(OUT)/$(SO) ## the symbols of libstatwit are those of client/c/exports.txt
	@nm -D --defined-only $(OUT)/$(SO) | awk '$$3 !~ /^_(init|fini)$$/ && $$3 !~ /^(__gcov|__asan|__odr|mangle_path)/ {print $$3}' | \
	    LC_ALL=C sort | diff -u client/c/exports.txt -

.PHONY: install-client
install: install-client
install-client: all
	install -d "$(DESTDIR)$(LIBDIR)"/pkgconfig "$(DESTDIR)$(PREFIX)"/include "$(DESTDIR)$(PREFIX)"/share/man/man3
	install -m 644 $(OUT)/$(SO) "$(DESTDIR)$(LIBDIR)"/$(SO)
	ln -sfn $(SO) "$(DESTDIR)$(LIBDIR)"/libstatwit.so.$(SOVERSION)
	ln -sfn libstatwit.so.$(SOVERSION) "$(DESTDIR)$(LIBDIR)"/libstatwit.so
	install -m 644 $(OUT)/libstatwit.a "$(DESTDIR)$(LIBDIR)"/
	install -m 644 client/c/statwit.h client/c/statwit.hpp client/c/statwit_cunit.h "$(DESTDIR)$(PREFIX)"/include/
	sed 's|@PREFIX@|$(PREFIX)|; s|@LIBDIR@|$(patsubst $(PREFIX)/%,$${prefix}/%,$(LIBDIR))|; s|@VERSION@|$(VERSION)|' client/c/statwit.pc.in >"$(DESTDIR)$(LIBDIR)"/pkgconfig/statwit.pc
	install -m 644 $(CLIENT_MAN) "$(DESTDIR)$(PREFIX)"/share/man/man3/

.PHONY: uninstall-client
uninstall: uninstall-client
uninstall-client:
	if cd "$(DESTDIR)$(LIBDIR)"; then rm -f $(SO) libstatwit.so.$(SOVERSION) libstatwit.so libstatwit.a pkgconfig/statwit.pc; fi
	if cd "$(DESTDIR)$(PREFIX)"; then rm -f include/statwit.h include/statwit.hpp include/statwit_cunit.h $(patsubst client/c/%,share/man/man3/%,$(CLIENT_MAN)); fi
