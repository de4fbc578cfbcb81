# The packages of .ci/pack as a user has them: installed where nothing else is, offline, and started. PACKAGES=image runs the files whose
# name holds it. What was not built is built first, all but the Debian packages of PACKAGES that do not need them.
PACKAGES ?= .bats
PACKAGES_SRC := $(wildcard tests/packages/*.bats)

.PHONY: packages
packages: static wheel npm image ## the packages installed and tried: empty root, venv, npm, image, Debian; PACKAGES=name
	@STATWIT_STATIC=$(CURDIR)/$(STATIC) bats $(foreach t,$(PACKAGES_SRC),$(if $(findstring $(PACKAGES),$(t)),$(t)))
