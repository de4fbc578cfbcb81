# Not optimised: a function that is inlined everywhere would look as if nothing reached it.
FLAGS_dead := -O0 -ffunction-sections

.PHONY: dead
dead: ## functions that no program, no user of the library and no test reaches
	@$(MAKE) --no-print-directory -s $(PARALLEL) VARIANT=dead $(patsubst %,build/dead/%,server/main.o libserver.a libclient.a)
	@CC="$(CC)" tests/support/check-dead build/dead $(SERVER_LIBS) $(CLIENT_LIBS)
