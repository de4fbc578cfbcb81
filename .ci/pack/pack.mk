# What is handed out: one static binary, and the packages that carry it. ARCH=aarch64 crosses. CONTRIBUTING.md, "Packages", says how.
ARCH ?= $(shell uname -m)
STATIC := build/static/statwit-$(ARCH)

.PHONY: static
static: ## build/static/statwit-ARCH: one file that runs on any Linux; ARCH=aarch64 crosses
	+@.ci/pack/static $(ARCH) $(STATIC)

# .ci/pack/static calls make again with this variable: the libraries and the compiler that it has made.
ifneq ($(STATIC_LIBRARIES),)
FLAGS_$(VARIANT) := -O2 -fstack-protector-strong -ffunction-sections -fdata-sections
CPPFLAGS += -isystem $(STATIC_LIBRARIES)/include -DSTATWIT_LINKED_CURL -DCURL_STATICLIB
STATIC_LINKED := -lcurl -lmicrohttpd -lgnutls -lhogweed -lnettle -lsqlite3 -ljansson -lz -lzstd -lxxhash -lm

$(OUT)/static: $(OUT)/server/main.o $(OUT)/libserver.a $(OUT)/libclient.a
	$(LINK) -static -s -Wl,--gc-sections -Wl,-z,relro,-z,now -o $@ $^ -L$(STATIC_LIBRARIES)/lib $(STATIC_LINKED)
endif

.PHONY: wheel npm gem jar go-modules image deb dist
wheel: static ## build/wheel/*.whl: the helper for Python, with and without the static binary
	@.ci/pack/wheel

npm: static ## build/npm/*.tgz: the helper for Node, and the package with the static binary
	@.ci/pack/npm

gem: static ## build/gem/*.gem: the helper for Ruby, with and without the static binary
	@.ci/pack/gem

jar: static ## build/jar/*.jar: the helper for JUnit, and jars with the static binary
	@.ci/pack/jar

go-modules: static ## build/go-modules/*.tar: the modules for Go as a file proxy, the static binary inside
	@.ci/pack/go-modules

image: static ## build/image/statwit-VERSION.tar: an OCI image from scratch, made without a daemon
	@.ci/pack/image

deb: ## build/deb/*.deb by debhelper: statwit, libstatwit0, libstatwit-dev
	@.ci/pack/deb $(VERSION)

# What a release hands out is for both architectures: the one of this machine and the other, crossed.
dist: ## build/dist: all that a release hands out, with checksums and a list of what is inside
	+@for arch in x86_64 aarch64; do $(MAKE) --no-print-directory static ARCH=$$arch || exit 1; done
	+@$(MAKE) --no-print-directory -j1 wheel npm go-modules image deb
	@for made in gem jar; do .ci/pack/$$made || [ $$? -eq 77 ] || exit 1; done
	@.ci/pack/dist
