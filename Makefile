# statwit: `make run` and `make test` are the two commands to know; `make help` lists the rest.
#
# Variants: `make VARIANT=asan` builds the same tree with sanitizers under build/asan; release, asan, tsan, cov.
MAKEFLAGS += --no-builtin-rules
.DEFAULT_GOAL := all
.DELETE_ON_ERROR:

VERSION := 0.1.0
VARIANT ?= release
PREFIX  ?= /usr/local
LIBDIR  ?= $(PREFIX)/lib
CC      ?= gcc
ifeq ($(origin CC),default)
CC := gcc
endif

# For programs that run while it is built, also where CC builds for another machine.
HOSTCC  ?= cc

OUT := build/$(VARIANT)

WARN := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes -Wvla -Werror
# gcc guesses at truncation from how much it inlines, so its answer differs from variant to variant.
ifeq ($(findstring clang,$(CC)),)
WARN += -Wno-format-truncation
endif
FLAGS_release := -O2 -g -ffile-prefix-map=$(CURDIR)=. -D_FORTIFY_SOURCE=2 -fstack-protector-strong
FLAGS_asan    := -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all
FLAGS_tsan    := -O1 -g -fno-omit-frame-pointer -fsanitize=thread
FLAGS_cov     := -O0 -g --coverage
LDFLAGS_release := -Wl,-z,relro,-z,now
CPPFLAGS += -Iserver -Iclient/c -D_GNU_SOURCE -DSTATWIT_VERSION='"$(VERSION)"'
CFLAGS   += -std=c17 $(WARN) $(FLAGS_$(VARIANT)) -fPIC
LDFLAGS  += $(FLAGS_$(VARIANT)) $(LDFLAGS_$(VARIANT))

# A line for each step; V=1 shows the whole commands, -s nothing.
say = $(if $(findstring s,$(firstword -$(MAKEFLAGS))),:,echo)
ifeq ($(V),1)
COMPILE = $(CC)
LINK    = $(CC) $(LDFLAGS)
else
COMPILE = @$(say) '  CC    $<'; $(CC)
LINK    = @$(say) '  LINK  $@'; $(CC) $(LDFLAGS)
endif
# What builds much does so on every core, unless make was told how.
PARALLEL = $(if $(filter -j%,$(MAKEFLAGS)),,-j$(shell nproc))

# Each start looks every symbol up, in the libraries' order: those that hold most of them come first.
FIRST_LIBS_release := -Wl,--no-as-needed -lsqlite3 -lgnutls -lc -Wl,--as-needed
SERVER_LIBS := -lmicrohttpd -lgnutls -lsqlite3 -ljansson -lz -lzstd -lxxhash -lpthread -lm -ldl
CLIENT_LIBS := -ljansson -lz -lpthread -lm -ldl

# --- sources, by wildcard -------------------------------------------------------------------------------------------
SERVER_SRC := $(filter-out server/main.c,$(wildcard server/*/*.c server/*/*/*.c))
CLIENT_SRC := $(wildcard client/c/emit/*.c client/c/report/*.c)
SUPPORT_SRC := $(wildcard tests/support/*.c)
# Folders of unit tests; the thread sanitizer gets those in which there are threads.
UNIT_ROOMS ?= *
UNIT_SRC   := $(wildcard $(UNIT_ROOMS:%=tests/unit/%/*_test.c))
SQL        := $(wildcard schema/sqlite/*.sql)

SERVER_OBJ := $(SERVER_SRC:%.c=$(OUT)/%.o)
CLIENT_OBJ := $(CLIENT_SRC:%.c=$(OUT)/%.o)
SUPPORT_OBJ := $(SUPPORT_SRC:%.c=$(OUT)/%.o)
UNIT_BIN   := $(UNIT_SRC:tests/unit/%.c=$(OUT)/unit/%)

# Objects of tests are kept: linking one program must not mean compiling it again next time.
.SECONDARY:

include $(wildcard tests/*/*.mk client/*/*.mk .ci/*/*.mk)

.PHONY: run
run: deps ## install what is missing, build, and run the recorder on 8125; ARGS="--db x.db" adds options
	@$(MAKE) --no-print-directory $(PARALLEL) all >&2
	@exec build/statwit serve $(ARGS)

.PHONY: test
test: deps ## install what is missing, build, and run all tests
	@$(MAKE) --no-print-directory $(PARALLEL) programs
	@$(MAKE) --no-print-directory unit e2e layers

.PHONY: demo
demo: deps ## a tour of under a minute; leaves nothing behind
	@$(MAKE) --no-print-directory $(PARALLEL) all
	@tests/e2e/demo build/statwit

.PHONY: deps
deps: ## install the packages that are missing (apt-get, with sudo when not root)
	@.ci/deps build test

.PHONY: all
all: build/statwit $(OUT)/libstatwit.a ## build everything that is installed

.PHONY: programs
programs: all $(UNIT_BIN)

ifeq ($(VARIANT),release)
build/statwit: $(OUT)/statwit
	@ln -sfn release/statwit $@
else
.PHONY: build/statwit
build/statwit: $(OUT)/statwit
endif

$(OUT)/statwit: $(OUT)/server/main.o $(OUT)/libserver.a $(OUT)/libstatwit.a
	$(LINK) -o $@ $(FIRST_LIBS_$(VARIANT)) $^ $(SERVER_LIBS) $(CLIENT_LIBS)

$(OUT)/libserver.a: $(SERVER_OBJ)
	@rm -f $@
	@$(AR) rcs $@ $^

# The client's objects as they are, for its unit tests; what is installed is made in client/c/client.mk.
$(OUT)/libclient.a: $(CLIENT_OBJ)
	@rm -f $@
	@$(AR) rcs $@ $^

$(OUT)/client/%.o: CFLAGS += -fvisibility=hidden

$(OUT)/%.o: %.c
	@mkdir -p $(@D)
	$(COMPILE) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

# Text that is compiled in (core/embed.h) is a prerequisite of who embeds it.
$(OUT)/server/store/sqlite/migrate.o: $(SQL)
$(OUT)/server/store/sqlite/template.o: build/template/recording build/template/memory
$(OUT)/server/store/clickhouse/schema.o: $(wildcard schema/clickhouse/*.sql)
$(OUT)/server/control/openapi.o: schema/openapi.yaml
$(OUT)/server/page/page.o: $(wildcard server/page/*.html server/page/*.svg server/page/*.css server/page/*.js)

# A new recording as bytes, by a program that runs here whatever is built. The version is the number of the last migration.
TEMPLATE_SRC := server/store/sqlite/template/make.c server/store/sqlite/template/make.h
TEMPLATE_VERSION := $(firstword $(subst _, ,$(notdir $(lastword $(sort $(wildcard schema/sqlite/0*.sql))))))
build/template/make: $(TEMPLATE_SRC)
	@mkdir -p $(@D)
	@$(say) '  CC    $<'; $(HOSTCC) -O1 -Wall -Wextra -o $@.new $< -lsqlite3 && mv $@.new $@
build/template/recording: TEMPLATE_SQL = schema/sqlite/recording.sql schema/sqlite/views.sql
build/template/memory: TEMPLATE_SQL = schema/sqlite/recording.sql
build/template/recording build/template/memory: build/template/make $(SQL)
	@build/template/make $@.new $(TEMPLATE_VERSION) $(TEMPLATE_SQL) && mv $@.new $@

# --- tests ----------------------------------------------------------------------------------------------------------
$(OUT)/unit/%: $(OUT)/tests/unit/%.o $(SUPPORT_OBJ) $(OUT)/libserver.a $(OUT)/libclient.a
	@mkdir -p $(@D)
	$(LINK) -o $@ $< $(SUPPORT_OBJ) $(OUT)/libserver.a $(OUT)/libclient.a $(SERVER_LIBS) $(CLIENT_LIBS) -lcunit

$(OUT)/tests/%.o: CPPFLAGS += -Itests/support -Itests/unit

UNIT ?= _test
.PHONY: unit
unit: $(UNIT_BIN) ## CUnit tests of every source file; UNIT=store/ runs those whose name holds it
	@tests/support/run-unit $(foreach t,$(UNIT_BIN),$(if $(findstring $(UNIT),$(t)),$(t)))

.PHONY: layers
layers: dead all ## who may include or need whom (tables in the scripts), what nothing reaches, which cited document is missing
	@tests/support/check-layers
	@tests/support/check-cited
	@tests/support/check-links $(OUT)

# --- the same tests, harder -----------------------------------------------------------------------------------------
.PHONY: asan
asan: ## all tests with address and undefined-behaviour sanitizers
	@$(MAKE) --no-print-directory $(PARALLEL) VARIANT=asan programs
	@$(MAKE) --no-print-directory VARIANT=asan unit e2e

.PHONY: tsan
tsan: UNIT_ROOMS = client command http ingest pipeline store
# Not those of the command line alone: they took most of the time.
tsan: E2E_SRC := $(filter-out $(addprefix tests/e2e/,01_% 06_% 07_% 08_% 09_% 10_% 21_% 23_% 24_% 26_manual% 30_%),$(wildcard tests/e2e/*.bats))
tsan: ## with the thread sanitizer: unit tests of what has threads, and the stories of servers
	@$(MAKE) --no-print-directory $(PARALLEL) VARIANT=tsan UNIT_ROOMS='$(UNIT_ROOMS)' programs
	@TSAN_OPTIONS=halt_on_error=1 $(MAKE) --no-print-directory VARIANT=tsan UNIT_ROOMS='$(UNIT_ROOMS)' E2E_SRC='$(E2E_SRC)' unit e2e

.PHONY: valgrind
valgrind: $(UNIT_BIN) ## unit tests under valgrind; UNIT= as for unit
	@UNIT_TIMEOUT=3600 UNIT_UNDER='valgrind -q --error-exitcode=9 --leak-check=full --errors-for-leak-kinds=definite' \
	    tests/support/run-unit $(foreach t,$(UNIT_BIN),$(if $(findstring $(UNIT),$(t)),$(t)))

.PHONY: cov
cov: ## lines and branches that all tests together reach
	@$(MAKE) --no-print-directory $(PARALLEL) VARIANT=cov programs
	@$(MAKE) --no-print-directory VARIANT=cov unit e2e
	@tests/support/coverage build/cov

# --- the source itself ----------------------------------------------------------------------------------------------
C_FILES := $(wildcard server/*.[ch] server/*/*.[ch] server/*/*/*.[ch] client/c/*.[ch] client/c/*.hpp client/c/*/*.[ch] tests/*/*.[ch] tests/unit/*/*.[ch] tests/interop/*/*.c)
SCRIPTS := .ci/run .ci/deps $(addprefix .ci/pack/,deb deb-static fetch libraries lock static tell-linker) .github/action/start $(wildcard tests/e2e/demo tests/support/check-layers tests/support/check-dead tests/support/check-cited tests/support/again tests/support/dropped tests/support/run-unit tests/support/coverage tests/support/lint tests/fuzz/run \
    tests/fuzz/seeds tests/interop/run tests/helpers/run tests/page/run tests/bench/peers/run tests/bench/clients/build)

.PHONY: format
format: ## format the C sources
	@clang-format -i $(C_FILES)

.PHONY: lint
lint: layers ## format check, cppcheck, clang-tidy, gcc -fanalyzer, shellcheck, man pages
	@tests/support/lint $(CPPFLAGS) -- $(sort $(SERVER_SRC) $(CLIENT_SRC) server/main.c) -- $(C_FILES) -- $(SCRIPTS)

# --- installing -----------------------------------------------------------------------------------------------------
PAGES := $(wildcard server/*.[1-9])
DOCS  := LICENSE README.md .github/CHANGES.md
# What tools read: the forms of catalogs and of the API, and the tables of a recording.
FORMS := $(wildcard schema/*.json schema/*.yaml schema/sqlite/*.sql schema/clickhouse/*)
.PHONY: install install-server
install: install-server ## PREFIX=/usr/local LIBDIR=PREFIX/lib DESTDIR=: binary, library, manuals, completions, schema
	@if [ -z "$(DESTDIR)" ]; then .ci/pack/tell-linker "$(LIBDIR)"; fi
install-server: all
	install -d "$(DESTDIR)$(PREFIX)"/bin
	install -m 755 $(OUT)/statwit "$(DESTDIR)$(PREFIX)"/bin/statwit
	for page in $(PAGES); do \
	    install -D -m 644 $$page "$(DESTDIR)$(PREFIX)"/share/man/man$${page##*.}/$${page##*/} || exit 1; done
	for file in $(DOCS); do install -D -m 644 $$file "$(DESTDIR)$(PREFIX)"/share/doc/statwit/$${file##*/} || exit 1; done
	for file in $(FORMS); do install -D -m 644 $$file "$(DESTDIR)$(PREFIX)"/share/statwit/$$file || exit 1; done
	install -d "$(DESTDIR)$(PREFIX)"/share/bash-completion/completions "$(DESTDIR)$(PREFIX)"/share/zsh/site-functions \
	    "$(DESTDIR)$(PREFIX)"/share/fish/vendor_completions.d
	install -d "$(DESTDIR)$(PREFIX)"/lib/systemd/system
	sed 's|@PREFIX@|$(PREFIX)|' server/statwit.service >"$(DESTDIR)$(PREFIX)"/lib/systemd/system/statwit.service
	$(OUT)/statwit completion bash >"$(DESTDIR)$(PREFIX)"/share/bash-completion/completions/statwit
	$(OUT)/statwit completion zsh >"$(DESTDIR)$(PREFIX)"/share/zsh/site-functions/_statwit
	$(OUT)/statwit completion fish >"$(DESTDIR)$(PREFIX)"/share/fish/vendor_completions.d/statwit.fish

.PHONY: uninstall uninstall-server
uninstall: uninstall-server ## removes what install put there
uninstall-server:
	for page in $(PAGES); do rm -f "$(DESTDIR)$(PREFIX)"/share/man/man$${page##*.}/$${page##*/}; done
	for file in $(DOCS); do rm -f "$(DESTDIR)$(PREFIX)"/share/doc/statwit/$${file##*/}; done
	for file in $(FORMS); do rm -f "$(DESTDIR)$(PREFIX)"/share/statwit/$$file; done
	-for folder in share/doc/statwit share/statwit/schema/sqlite share/statwit/schema/clickhouse share/statwit/schema share/statwit; do \
	    rmdir "$(DESTDIR)$(PREFIX)"/$$folder 2>/dev/null; done
	rm -f "$(DESTDIR)$(PREFIX)"/bin/statwit \
	    "$(DESTDIR)$(PREFIX)"/lib/systemd/system/statwit.service \
	    "$(DESTDIR)$(PREFIX)"/share/bash-completion/completions/statwit \
	    "$(DESTDIR)$(PREFIX)"/share/zsh/site-functions/_statwit \
	    "$(DESTDIR)$(PREFIX)"/share/fish/vendor_completions.d/statwit.fish

.PHONY: clean
clean: ## remove everything that was built
	rm -rf build

.PHONY: help
help: ## this list
	@awk -F':.*## ' '/^[a-z0-9-]+:.*## /{printf "  %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST) | sort

-include $(shell find $(OUT) -name '*.d' 2>/dev/null)
