# SPDX-License-Identifier: Apache-2.0
# cloudinvite: `make help` lists the targets.

VERSION  := 0.1.0

CC       ?= cc
AR       ?= ar
PKG_CONFIG ?= pkg-config
INSTALL  ?= install
O        ?= build

# ---- directories; each can be overridden ------------------------------------------------------
prefix      ?= /usr
bindir      ?= $(prefix)/bin
sbindir     ?= $(prefix)/sbin
libexecdir  ?= $(prefix)/libexec/cloudinvite
datadir     ?= $(prefix)/share
mandir      ?= $(datadir)/man
docdir      ?= $(datadir)/doc/cloudinvite
sysconfdir  ?= /etc
localstatedir ?= /var
runstatedir ?= /run
unitdir     ?= $(prefix)/lib/systemd/system
sysusersdir ?= $(prefix)/lib/sysusers.d
pamconfigsdir ?= $(datadir)/pam-configs
catalogdir  ?= $(prefix)/lib/systemd/catalog
polkitdir   ?= $(datadir)/polkit-1/rules.d
bashcompletiondir ?= $(datadir)/bash-completion/completions
zshcompletiondir ?= $(datadir)/zsh/site-functions
fishcompletiondir ?= $(datadir)/fish/vendor_completions.d
# Debian's multiarch directory if there is one, else lib64 or lib.
securedir   ?= $(shell d=$$($(CC) -print-multiarch 2>/dev/null); \
	if [ -n "$$d" ] && [ -d /lib/$$d/security ]; then echo /lib/$$d/security; \
	elif [ -d /lib64/security ]; then echo /lib64/security; else echo /lib/security; fi)

comma := ,

# ---- flags ------------------------------------------------------------------------------------
WARN := -Wall -Wextra -Wconversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
	-Wold-style-definition -Wformat=2 -Wnull-dereference -Wpointer-arith -Wcast-qual \
	-Wwrite-strings -Wundef -Wvla -Wswitch-enum -Wimplicit-fallthrough
ifdef CI
WARN += -Werror
endif
ifdef WERROR
WARN += -Werror
endif

HARDEN := -fstack-protector-strong -fstack-clash-protection
ifeq ($(shell uname -m),x86_64)
HARDEN += -fcf-protection
endif
LINK_HARDEN := -Wl,-z,relro,-z,now,-z,defs,-z,noexecstack -Wl,--as-needed -Wl,--gc-sections

# The result does not depend on the path of the tree.
PREFIX_MAP ?= -ffile-prefix-map=$(CURDIR)=.

OPT ?= -O2 -g
ifdef SANITIZE
O := build-$(subst $(comma),-,$(SANITIZE))
OPT := -O1 -g -fno-omit-frame-pointer
HARDEN := -fsanitize=$(SANITIZE) -fno-sanitize-recover=all
# The program that loads a shared object provides the sanitizer's symbols.
LINK_HARDEN := -fsanitize=$(SANITIZE) -Wl,--as-needed
else ifdef FUZZ
O := build-fuzz
CC := clang
OPT := -O1 -g -fno-omit-frame-pointer
HARDEN := -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all
LINK_HARDEN := -fsanitize=address,undefined
else
HARDEN += -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3
endif

DEFS := -D_GNU_SOURCE -DCLOUDINVITE_VERSION='"$(VERSION)"' \
	-DCLOUDINVITE_SYSCONFDIR='"$(sysconfdir)/cloudinvite"' -DCLOUDINVITE_SECUREDIR='"$(securedir)"'

pkg = $(shell $(PKG_CONFIG) --cflags $(1) 2>/dev/null)
lib = $(shell $(PKG_CONFIG) --libs $(1) 2>/dev/null || echo $(2))
PKGS := libcurl jansson libcrypto p11-kit-1 sqlite3 inih libmicrohttpd libssl

CPPFLAGS_ALL = -I. -Icommon $(DEFS) $(CPPFLAGS)
CFLAGS_ALL = -std=gnu11 $(OPT) $(PREFIX_MAP) $(WARN) $(HARDEN) -ffunction-sections -fdata-sections \
	$(PKG_CFLAGS) $(CFLAGS)
PKG_CFLAGS := $(call pkg,$(PKGS))

LIBS_BASE   :=
LIBS_INI    := $(call lib,inih,-linih)
LIBS_GOOGLE := $(call lib,libcurl jansson libcrypto p11-kit-1,-lcurl -ljansson -lcrypto -lp11-kit)
LIBS_JSON   := $(call lib,jansson,-ljansson)
LIBS_LEDGER := $(call lib,sqlite3,-lsqlite3)
LIBS_EMULATOR := $(call lib,libmicrohttpd jansson libcrypto zlib,-lmicrohttpd -ljansson -lcrypto -lz)
LIBS_ALL    := $(LIBS_INI) $(LIBS_GOOGLE) $(LIBS_LEDGER)
LIBS_CMOCKA := $(call lib,cmocka,-lcmocka)

# ---- sources: a folder for each layer ----------------------------------------------------------
LAYERS := base telemetry pam spool settings people google google/http google/auth google/auth/hsm google/api person ledger ratelimit engine metrics
LIB_SRC := $(foreach layer,$(LAYERS),$(wildcard common/$(layer)/*.c))
PIC_SRC := $(wildcard common/base/*.c common/pam/*.c common/spool/*.c)
MOD_SRC := $(wildcard pam_module/*.c)
COLLECTOR_SRC  := $(wildcard worker/*.c worker/collector/*.c)
DISPATCHER_SRC := $(wildcard worker/*.c worker/dispatcher/*.c)
# The keeper is root: of the code that the others share it has only --prepare.
PREPARE_SRC := worker/prepare.c worker/prepare_bounded.c worker/prepare_directory.c worker/prepare_spool.c \
	worker/spool_migrate.c worker/take_over.c
KEEPER_SRC := $(wildcard worker/keeper/*.c) $(PREPARE_SRC)
CLI_SRC := $(wildcard cli/*.c cli/*/*.c)
EMU_SRC := $(wildcard emulator/*.c)
UNIT_SRC := $(wildcard tests/unit/*_test.c)
PAM_SRC := $(wildcard tests/pam/*_test.c)
E2E_SRC := $(wildcard tests/e2e/*.c)
RELIABILITY_SRC := $(wildcard tests/reliability/*.c)
BENCH_SRC := $(wildcard tests/bench/*.c)
FUZZ_SRC := $(wildcard tests/fuzz/*_fuzz.c)
FAULTS_SRC := $(wildcard tests/faults/*_faults.c)

# `make V=1` shows the commands.
Q := $(if $(V),,@)
say = @printf '  %-4s %s\n' $(1) $(patsubst $(O)/%,%,$@)

objs = $(patsubst %.c,$(O)/%.o,$(1))
LIB := $(O)/libcloudinvite.a
PICLIB := $(O)/pic/libspool.a
MODULE := $(O)/pam_cloudinvite.so
PROGRAMS := $(O)/cloudinvite $(O)/cloudinvite-keeper $(O)/cloudinvite-collector $(O)/cloudinvite-dispatcher
EMULATOR := $(O)/cloudinvite-emulator
UNIT_TESTS := $(patsubst tests/%.c,$(O)/tests/%,$(UNIT_SRC))
PAM_TESTS := $(patsubst tests/%.c,$(O)/tests/%,$(PAM_SRC))
E2E_DRIVERS := $(patsubst tests/%.c,$(O)/tests/%,$(E2E_SRC))
RELIABILITY_DRIVERS := $(patsubst tests/%.c,$(O)/tests/%,$(RELIABILITY_SRC))
FAULTS_TESTS := $(patsubst tests/%.c,$(O)/tests/%,$(FAULTS_SRC))
FUZZERS := $(patsubst tests/%.c,$(O)/tests/%,$(FUZZ_SRC))
BENCHES := $(patsubst tests/%.c,$(O)/tests/%,$(BENCH_SRC))

.PHONY: all module programs emulator tests benches check demo bench fuzz mutants lint analyze deps deb deb-tree install uninstall clean help format
.DELETE_ON_ERROR:
.SECONDARY:

all: $(MODULE) $(PROGRAMS) $(EMULATOR)

help:
	@sed -n 's/^#: //p' $(firstword $(MAKEFILE_LIST))

#: all        build the module, the programs and the emulator into $(O)
#: demo       install what a demo needs, build, and show all steps on the emulator (root)
#: check      install what the tests need, build, run the tests
#: bench      measure the bounds of docs/design.md
#: fuzz       every fuzz target for FUZZ_TIME seconds (60), FUZZ_JOBS at once
#: mutants    change rules and schedule in one place at a time, and see that a test fails (MUTANTS="--sample 100")
#: lint       clang-format, clang-tidy, cppcheck, shellcheck, the project's own rules
#: analyze    gcc -fanalyzer over what is shipped
#: deps       install the packages that building needs (apt or dnf)
#: install    DESTDIR=, prefix= and every directory can be set
#: uninstall  the reverse
#: deb        Debian's packages, below $(O)/deb
#: clean      remove $(O)

module: $(MODULE)
programs: $(PROGRAMS)
emulator: $(EMULATOR)
tests: $(UNIT_TESTS) $(PAM_TESTS) $(FAULTS_TESTS) $(E2E_DRIVERS) $(RELIABILITY_DRIVERS)
benches: $(BENCHES)

# The flags are a prerequisite, so that a change of the flags rebuilds, and only that.
FLAGS_FILE := $(O)/flags
FLAGS_TEXT := $(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) $(LDFLAGS)
$(FLAGS_FILE): force
	@mkdir -p $(@D)
	@printf '%s\n' "$$FLAGS_TEXT" | cmp -s - $@ || printf '%s\n' "$$FLAGS_TEXT" > $@
export FLAGS_TEXT
.PHONY: force
force:

$(O)/pic/%.o: %.c $(FLAGS_FILE)
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) -fPIC -fvisibility=hidden -MMD -MP -c -o $@ $<

$(O)/%.o: %.c $(FLAGS_FILE)
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) -fPIE -MMD -MP -c -o $@ $<

# An archive is made from scratch: an object without a source must not stay in it.
$(LIB): $(call objs,$(LIB_SRC))
	$(call say,AR)
	@rm -f $@
	$(Q)$(AR) rcs $@ $^

$(PICLIB): $(patsubst %.c,$(O)/pic/%.o,$(PIC_SRC))
	$(call say,AR)
	@rm -f $@
	$(Q)$(AR) rcs $@ $^

$(MODULE): $(patsubst %.c,$(O)/pic/%.o,$(MOD_SRC)) $(PICLIB) pam_module/module.map
	$(call say,LD)
	$(Q)$(CC) $(CFLAGS_ALL) -shared $(LINK_HARDEN) -Wl,-Bsymbolic -Wl,--version-script=pam_module/module.map \
		$(LDFLAGS) -o $@ $(filter %.o,$^) $(PICLIB) -lpam

LINK = $(Q)printf '  %-4s %s\n' LD $(patsubst $(O)/%,%,$@) && $(CC) $(CFLAGS_ALL) -pie $(LINK_HARDEN) $(LDFLAGS) -o $@ $(filter %.o,$^) $(filter %.a,$^)

$(O)/cloudinvite-collector: $(call objs,$(COLLECTOR_SRC)) $(LIB)
	$(LINK) $(LIBS_INI) $(LIBS_JSON) $(LIBS_LEDGER)
$(O)/cloudinvite-keeper: $(call objs,$(KEEPER_SRC)) $(LIB)
	$(LINK) $(LIBS_INI)
$(O)/cloudinvite-dispatcher: $(call objs,$(DISPATCHER_SRC)) $(LIB)
	$(LINK) $(LIBS_ALL)
$(O)/cloudinvite: $(call objs,$(CLI_SRC)) $(LIB)
	$(LINK) $(LIBS_ALL)
$(EMULATOR): $(call objs,$(EMU_SRC))
	$(LINK) $(LIBS_EMULATOR)

# Fixtures that several unit tests share; the fake Google replaces functions of the library.
FAKE_SRC := tests/unit/fake_google.c tests/unit/engine_admin.c tests/unit/engine_command.c tests/unit/engine_copy.c
LIBTEST := $(O)/libtest.a
$(LIBTEST): $(call objs,$(filter-out $(UNIT_SRC) $(FAKE_SRC),$(wildcard tests/unit/*.c)))
	@rm -f $@
	$(Q)$(AR) rcs $@ $^
LIBFAKE := $(O)/libfake.a
$(LIBFAKE): $(call objs,$(FAKE_SRC))
	@rm -f $@
	$(Q)$(AR) rcs $@ $^

# One person's rules, and nothing that could do anything else.
LIBPERSON := $(O)/libperson.a
$(LIBPERSON): $(call objs,$(wildcard common/person/*.c common/base/*.c) common/google/types.c)
	@rm -f $@
	$(Q)$(AR) rcs $@ $^
$(O)/tests/unit/person_%: $(O)/tests/unit/person_%.o $(LIBTEST) $(LIBPERSON)
	$(LINK) $(LIBS_CMOCKA)

# The command line's tests link all of it except its main.
LIBCLI := $(O)/libcli.a
$(LIBCLI): $(call objs,$(filter-out cli/main.c,$(CLI_SRC)))
	@rm -f $@
	$(Q)$(AR) rcs $@ $^
$(O)/tests/unit/cli_%: $(O)/tests/unit/cli_%.o $(LIBTEST) $(LIBCLI) $(LIB)
	$(LINK) $(LIBS_ALL) $(LIBS_CMOCKA)
# The same for the collector and what it shares with the dispatcher.
LIBWORKER := $(O)/libworker.a
$(LIBWORKER): $(call objs,$(filter-out worker/collector/main.c,$(COLLECTOR_SRC)))
	@rm -f $@
	$(Q)$(AR) rcs $@ $^
$(O)/tests/unit/collector_%: $(O)/tests/unit/collector_%.o $(LIBTEST) $(LIBWORKER) $(LIB)
	$(LINK) $(LIBS_ALL) $(LIBS_CMOCKA)
$(O)/tests/unit/worker_%: $(O)/tests/unit/worker_%.o $(LIBTEST) $(LIBWORKER) $(LIB)
	$(LINK) $(LIBS_ALL) $(LIBS_CMOCKA)
$(O)/tests/unit/engine_%: $(O)/tests/unit/engine_%.o $(LIBFAKE) $(LIBTEST) $(LIB)
	$(LINK) $(LIBS_ALL) $(LIBS_CMOCKA)
$(O)/tests/unit/%: $(O)/tests/unit/%.o $(LIBTEST) $(LIB)
	$(LINK) $(LIBS_ALL) $(LIBS_CMOCKA)
$(O)/tests/pam/%: $(O)/tests/pam/%.o $(LIB)
	$(LINK) $(LIBS_CMOCKA) -lpam -ldl
$(O)/tests/e2e/%: $(O)/tests/e2e/%.o $(LIB)
	$(LINK) $(LIBS_ALL)
$(O)/tests/reliability/%: $(O)/tests/reliability/%.o
	$(LINK) -lpam
# The calls that tests/faults makes fail (tests/faults/wrap.c).
FAULTS_CALLS := open openat __open_2 __openat_2 read __read_chk pread write pwrite fsync rename renameat \
	linkat unlink unlinkat close stat lstat fstat fstatat access faccessat fchmod futimens ftruncate fcntl flock \
	fdopendir readdir mmap getrandom clock_gettime malloc calloc realloc strdup free json_xmalloc
$(O)/tests/faults/%: $(O)/tests/faults/%.o $(call objs,$(filter-out $(FAULTS_SRC),$(wildcard tests/faults/*.c))) $(LIBTEST) $(LIB)
	$(LINK) $(addprefix -Wl$(comma)--wrap=,$(FAULTS_CALLS)) $(LIBS_ALL) $(LIBS_CMOCKA)
$(O)/tests/faults/engine_%: $(O)/tests/faults/engine_%.o $(call objs,$(filter-out $(FAULTS_SRC),$(wildcard tests/faults/*.c))) $(LIBFAKE) $(LIBTEST) $(LIB)
	$(LINK) $(addprefix -Wl$(comma)--wrap=,$(FAULTS_CALLS)) $(LIBS_ALL) $(LIBS_CMOCKA)
$(O)/tests/bench/%: $(O)/tests/bench/%.o $(LIB)
	$(LINK) $(LIBS_ALL) -lpam -ldl
$(O)/tests/fuzz/%: $(O)/tests/fuzz/%.o $(O)/tests/fuzz/fuzz.o $(call objs,common/pam/arguments.c pam_module/cached.c pam_module/local_user.c) $(LIB)
	$(LINK) -fsanitize=fuzzer $(LIBS_ALL)
$(O)/tests/fuzz/person_fuzz: $(O)/tests/fuzz/person_fuzz.o $(O)/tests/fuzz/fuzz.o $(LIBPERSON)
	$(LINK) -fsanitize=fuzzer
$(O)/tests/fuzz/local_user_fuzz: LINK_HARDEN += -Wl,--wrap=open
$(O)/tests/fuzz/pam_stack_fuzz: $(call objs,cli/pam/stack.c cli/pam/line.c cli/pam/edit.c)
$(O)/tests/fuzz/ledger_fuzz: $(call objs,$(filter-out cli/main.c,$(CLI_SRC)))
$(O)/tests/fuzz/authselect_fuzz: $(call objs,$(filter-out cli/main.c cli/pam/authselect.c,$(CLI_SRC)))
$(O)/tests/fuzz/authselect_fuzz: LINK_HARDEN += -Wl,--wrap=file_read
$(O)/tests/fuzz/loopback_fuzz: $(call objs,cli/api/loopback_peer.c)
$(O)/tests/fuzz/host_file_fuzz: $(call objs,worker/collector/host.c)

-include $(shell find $(O) -path $(O)/deb -prune -o -name '*.d' -type f -print 2>/dev/null)

clean:
	rm -rf $(O) build-address-undefined build-thread build-fuzz

# ---- targets for people ------------------------------------------------------------------------
# Missing packages are installed first; then make starts again, because the flags come from them.
deps:
	@packaging/deps build

check:
	@packaging/deps build test
	@$(MAKE) --no-print-directory all tests O=$(O)
	@$(MAKE) --no-print-directory check-run O=$(O)

# In the order of what the tests need, the least first.
TESTS_UNIT = $(UNIT_TESTS) $(FAULTS_TESTS)
TESTS_PAM = $(PAM_TESTS) $(wildcard tests/pam/test_*.py)
TESTS_E2E = $(wildcard tests/e2e/test_*.py)
.PHONY: check-run check-unit check-faults demo-run bench-run
check-run:
	@CLOUDINVITE_BUILD=$(abspath $(O)) tests/run --jobs 2 --log $(O)/logs $(TESTS_UNIT) $(TESTS_PAM) $(TESTS_E2E)
check-unit: $(TESTS_UNIT) $(PAM_TESTS) $(MODULE)
	@CLOUDINVITE_BUILD=$(abspath $(O)) tests/run --jobs 2 --log $(O)/logs $(TESTS_UNIT) $(PAM_TESTS)
check-faults: $(FAULTS_TESTS)
	@tests/run --log $(O)/logs $(FAULTS_TESTS)

demo:
	@packaging/deps build demo
	@$(MAKE) --no-print-directory all O=$(O)
	@CLOUDINVITE_BUILD=$(abspath $(O)) tests/demo/demo.py

# Options of tests/mutants/mutants.py: make mutants MUTANTS="--sample 100"
MUTANTS ?=
MUTANTS_JOBS ?= 2
.PHONY: mutants-run
mutants:
	@packaging/deps build test
	@$(MAKE) --no-print-directory mutants-run O=$(O)
mutants-run: export CLOUDINVITE_DEFS = $(CPPFLAGS_ALL)
mutants-run: export CLOUDINVITE_CFLAGS = -std=gnu11 $(PKG_CFLAGS)
mutants-run: $(filter $(O)/tests/unit/person_% $(O)/tests/unit/engine_breaker_% $(O)/tests/unit/engine_schedule_%, \
	$(UNIT_TESTS))
	@CC="$(CC)" tests/mutants/mutants.py --build $(O) --jobs $(MUTANTS_JOBS) $(MUTANTS)

FUZZ_TIME ?= 60
.PHONY: fuzz-run
fuzz:
	@packaging/deps build lint
	@$(MAKE) --no-print-directory fuzz-run FUZZ=1
fuzz-run: $(FUZZERS)
	@tests/fuzz/run.py --seconds $(FUZZ_TIME) $(addprefix --jobs ,$(FUZZ_JOBS)) $(O) $(FUZZERS)

bench:
	@packaging/deps build test
	@$(MAKE) --no-print-directory all benches O=$(O)
	@CLOUDINVITE_BUILD=$(abspath $(O)) tests/bench/bench.py

C_FILES = $(shell git ls-files -co --exclude-standard '*.c' '*.h')
SH_FILES = packaging/deps .ci/run config/close-accounts config/pam-release config/hooks/useradd-post config/hooks/userdel-post \
	packaging/debian/tests/smoke $(wildcard packaging/debian/*.post* packaging/debian/*.pre*)
LINT_JOBS ?= 2
# Exported instead of written into the recipe, because the quotes of -D'"…"' must be kept.
lint: export CLOUDINVITE_DEFS = $(CPPFLAGS_ALL)
lint: export CLOUDINVITE_CFLAGS = -std=gnu11 $(PKG_CFLAGS)
lint:
	@packaging/deps build lint
	@$(MAKE) --no-print-directory layout O=$(O)
	@tests/lint.py --jobs $(LINT_JOBS) --shell "$(SH_FILES)" $(C_FILES)

# The code that is shipped, without the tests.
PRODUCT_SRC = $(sort $(LIB_SRC) $(MOD_SRC) $(KEEPER_SRC) $(COLLECTOR_SRC) $(DISPATCHER_SRC) $(CLI_SRC) $(EMU_SRC))
# Allowed includes for each folder, and no circles. It also reads the object files.
.PHONY: layout
layout: $(call objs,$(filter-out $(MOD_SRC),$(PRODUCT_SRC))) $(patsubst %.c,$(O)/pic/%.o,$(MOD_SRC))
	@tests/layout.py --objects $(O)
analyze: export CLOUDINVITE_DEFS = $(CPPFLAGS_ALL)
analyze: export CLOUDINVITE_CFLAGS = -std=gnu11 $(PKG_CFLAGS)
analyze:
	@CC=$(ANALYZER) tests/analyze.py --jobs $(LINT_JOBS) $(PRODUCT_SRC)
# clang has another one, which lint runs.
ANALYZER ?= gcc

format:
	clang-format -i $(C_FILES)

# ---- installing --------------------------------------------------------------------------------
hooksdir = $(datadir)/cloudinvite/hooks
nftablesdir = $(datadir)/cloudinvite/nftables
apparmordir = $(datadir)/cloudinvite/apparmor
prometheusdir = $(datadir)/cloudinvite/prometheus
grafanadir = $(datadir)/cloudinvite/grafana
MAN1 = $(wildcard docs/man/*.1)
MAN5 = $(wildcard docs/man/*.5)
MAN8 = $(wildcard docs/man/*.8)
fill = sed -e 's|@bindir@|$(bindir)|g' -e 's|@sbindir@|$(sbindir)|g' -e 's|@sysconfdir@|$(sysconfdir)|g' \
	-e 's|@localstatedir@|$(localstatedir)|g' -e 's|@runstatedir@|$(runstatedir)|g' \
	-e 's|@sysusersdir@|$(sysusersdir)|g'

# The module is renamed into place, so that a login that is loading the old one gets all of it. Every user can
# run the dispatcher, but only root can read it: so the kernel closes it to other processes of its account
# (/proc/PID/mem, /proc/PID/root) from its first instruction, not only from its first call. Settings and map say
# who is invited: only root can read them until --prepare gives them the accounts' group.
install: all
	$(INSTALL) -d $(DESTDIR)$(bindir) $(DESTDIR)$(sbindir) $(DESTDIR)$(securedir) $(DESTDIR)$(unitdir) \
		$(DESTDIR)$(sysusersdir) $(DESTDIR)$(pamconfigsdir) $(DESTDIR)$(hooksdir) $(DESTDIR)$(docdir)/systemd \
		$(DESTDIR)$(bashcompletiondir) $(DESTDIR)$(zshcompletiondir) $(DESTDIR)$(fishcompletiondir) \
		$(DESTDIR)$(mandir)/man1 $(DESTDIR)$(mandir)/man5 \
		$(DESTDIR)$(mandir)/man8 $(DESTDIR)$(sysconfdir)/cloudinvite/conf.d
	$(INSTALL) -d -m 711 $(DESTDIR)$(sysconfdir)/cloudinvite/private
	$(INSTALL) -m 755 $(O)/cloudinvite $(O)/cloudinvite-emulator $(DESTDIR)$(bindir)
	$(INSTALL) -m 755 $(O)/cloudinvite-keeper $(O)/cloudinvite-collector $(DESTDIR)$(sbindir)
	$(INSTALL) -m 711 $(O)/cloudinvite-dispatcher $(DESTDIR)$(sbindir)
	for unit in config/systemd/*.service config/systemd/*.socket; do \
		$(fill) $$unit > $(O)/$$(basename $$unit) && \
		$(INSTALL) -m 644 $(O)/$$(basename $$unit) $(DESTDIR)$(unitdir) || exit 1; done
	for sample in config/systemd/examples/*.conf; do \
		$(fill) $$sample > $(O)/$$(basename $$sample) && \
		$(INSTALL) -m 644 $(O)/$$(basename $$sample) $(DESTDIR)$(docdir)/systemd || exit 1; done
	$(INSTALL) -m 644 config/sysusers.conf $(DESTDIR)$(sysusersdir)/cloudinvite.conf
	$(fill) config/close-accounts > $(O)/close-accounts
	$(INSTALL) -D -m 755 -t $(DESTDIR)$(datadir)/cloudinvite $(O)/close-accounts
	for hook in useradd-post userdel-post; do \
		$(fill) config/hooks/$$hook > $(O)/$$hook && \
		$(INSTALL) -m 755 $(O)/$$hook $(DESTDIR)$(hooksdir)/$$hook || exit 1; done
	$(INSTALL) -D -m 755 -t $(DESTDIR)$(libexecdir) config/pam-release
	$(INSTALL) -D -m 644 -t $(DESTDIR)$(nftablesdir) config/nftables/cloudinvite-metadata.nft
	$(INSTALL) -D -m 644 -t $(DESTDIR)$(apparmordir) config/apparmor/usr.sbin.cloudinvite-*
	$(INSTALL) -D -m 644 -t $(DESTDIR)$(prometheusdir) config/prometheus/cloudinvite.rules.yml
	$(INSTALL) -D -m 644 -t $(DESTDIR)$(grafanadir) config/grafana/cloudinvite.json
	$(INSTALL) -D -m 644 -t $(DESTDIR)$(polkitdir) config/polkit/00-cloudinvite.rules
	$(INSTALL) -D -m 644 -t $(DESTDIR)$(catalogdir) config/journal/cloudinvite.catalog
	$(INSTALL) -m 644 config/completion/cloudinvite.bash $(DESTDIR)$(bashcompletiondir)/cloudinvite
	$(INSTALL) -m 644 config/completion/cloudinvite.zsh $(DESTDIR)$(zshcompletiondir)/_cloudinvite
	$(INSTALL) -m 644 config/completion/cloudinvite.fish $(DESTDIR)$(fishcompletiondir)
	$(INSTALL) -m 644 README.md LICENSE CHANGELOG.md docs/*.md $(DESTDIR)$(docdir)
	$(INSTALL) -m 644 $(MAN1) $(DESTDIR)$(mandir)/man1
	$(INSTALL) -m 644 $(MAN5) $(DESTDIR)$(mandir)/man5
	$(INSTALL) -m 644 $(MAN8) $(DESTDIR)$(mandir)/man8
	for sample in cloudinvite.conf addresses.map; do \
		$(INSTALL) -m 644 config/$$sample $(DESTDIR)$(docdir)/$$sample && \
		{ [ -e $(DESTDIR)$(sysconfdir)/cloudinvite/$$sample ] || \
		$(INSTALL) -m 640 config/$$sample $(DESTDIR)$(sysconfdir)/cloudinvite/$$sample; } || exit 1; done
	$(INSTALL) -m 644 $(MODULE) $(DESTDIR)$(securedir)/.pam_cloudinvite.so.new
	mv -f $(DESTDIR)$(securedir)/.pam_cloudinvite.so.new $(DESTDIR)$(securedir)/pam_cloudinvite.so
	$(INSTALL) -m 644 config/pam-configs/cloudinvite $(DESTDIR)$(pamconfigsdir)/cloudinvite

# The Debian packages are built in a copy of this tree, with packaging/debian as its debian/ and a clean
# environment.
DEB_TREE = $(O)/deb/cloudinvite-$(VERSION)
deb: deb-tree
	@packaging/deps package
	cd $(DEB_TREE) && env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL -u MAKEOVERRIDES -u O -u FLAGS_TEXT \
		dpkg-buildpackage -us -uc
deb-tree:
	rm -rf $(O)/deb
	mkdir -p $(DEB_TREE)
	tar -c --exclude-vcs --exclude=__pycache__ --exclude=./build --exclude='./build-*' --exclude='./$(O)' . | \
		tar -x -C $(DEB_TREE)
	cp -a packaging/debian $(DEB_TREE)/debian

# The PAM line is removed before the module: a `required` line without its module locks out every user.
uninstall:
	@config/pam-release $(DESTDIR)
	rm -f $(DESTDIR)$(pamconfigsdir)/cloudinvite $(DESTDIR)$(securedir)/pam_cloudinvite.so
	rm -f $(DESTDIR)$(bindir)/cloudinvite $(DESTDIR)$(bindir)/cloudinvite-emulator
	rm -f $(addprefix $(DESTDIR)$(sbindir)/,cloudinvite-keeper cloudinvite-collector cloudinvite-dispatcher)
	rm -f $(addprefix $(DESTDIR)$(unitdir)/,cloudinvite-keeper.socket cloudinvite-keeper.service \
		cloudinvite-collector.service cloudinvite-dispatcher.service)
	rm -f $(DESTDIR)$(libexecdir)/pam-release
	rmdir $(DESTDIR)$(libexecdir) 2>/dev/null || :
	rm -f $(DESTDIR)$(sysusersdir)/cloudinvite.conf $(DESTDIR)$(catalogdir)/cloudinvite.catalog \
		$(DESTDIR)$(polkitdir)/00-cloudinvite.rules
	rm -f $(DESTDIR)$(bashcompletiondir)/cloudinvite \
		$(DESTDIR)$(zshcompletiondir)/_cloudinvite $(DESTDIR)$(fishcompletiondir)/cloudinvite.fish
	rm -rf $(DESTDIR)$(hooksdir) $(DESTDIR)$(nftablesdir) $(DESTDIR)$(apparmordir) $(DESTDIR)$(docdir) \
		$(DESTDIR)$(prometheusdir) $(DESTDIR)$(grafanadir) $(DESTDIR)$(datadir)/cloudinvite/close-accounts
	rmdir $(DESTDIR)$(datadir)/cloudinvite 2>/dev/null || :
	rm -f $(addprefix $(DESTDIR)$(mandir)/man1/,$(notdir $(MAN1))) \
		$(addprefix $(DESTDIR)$(mandir)/man5/,$(notdir $(MAN5))) \
		$(addprefix $(DESTDIR)$(mandir)/man8/,$(notdir $(MAN8)))
	@echo "uninstall: settings, spool and ledger are kept: $(sysconfdir)/cloudinvite, $(localstatedir)/*/cloudinvite"
