# SPDX-License-Identifier: Apache-2.0
# make run     the main job on a real container         make check   build, all tests
# make         build/tamis                              make lint    format, tidy, layers
# make unit    unit tests only                          make bench   what watching costs
# make demo-oracle   five services, each from an empty policy by the oracle loop
# make demo-mine     eight services, each mined by its tests, and run under what came out
# make fuzz    every parser of outside input, TIME=60 seconds each
# make quality  clang, sanitizers, valgrind, coverage, fuzzing, lint: a suite of its own
# make unit-san, unit-valgrind   unit tests sanitized (clang), under valgrind
# make coverage   lines of user/ that tests run: 85 % at least
# make budget  what the programs cost the verifier, into tests/bpf/budget.tsv
# make soak    faults at random under load, what is recorded held against what was called (TIME=1h)
# make check-vm   Debian's kernels in virtual machines (KERNELS="5.10 6.1 6.12 newest")
# make check-arm64   cross-built: unit tests under qemu, the sensor and policies in a virtual machine
# O=DIR output directory; V=1 commands shown; SANITIZE=1 ASan+UBSan; WERROR=1 as CI builds

O       ?= build
V       ?= 0
PREFIX  ?= /usr/local
UNITDIR ?= /etc/systemd/system
CLANG   ?= clang
BPFTOOL ?= $(shell PATH=$$PATH:/usr/sbin:/sbin command -v bpftool || echo bpftool)
PKG     := libbpf libseccomp jansson sqlite3 libsystemd inih libmd
# What runs in an engine's start path: no libbpf, no SQLite, no bus (make lint asks ldd).
PKG_START := libseccomp jansson libmd
PKG_KEEPER := libseccomp jansson libmd libsystemd
# A cross build: a directory that tests/arm64/sysroot made. Not gcc: its cross packages can't be
# installed beside gcc-multilib.
ifneq ($(SYSROOT),)
CC      := clang --target=aarch64-linux-gnu --sysroot=$(SYSROOT)
AR      := aarch64-linux-gnu-ar
PKG_DIR := $(SYSROOT)/usr/lib/aarch64-linux-gnu/pkgconfig:$(SYSROOT)/usr/share/pkgconfig
PKGCONF := PKG_CONFIG_SYSROOT_DIR=$(SYSROOT) PKG_CONFIG_LIBDIR=$(PKG_DIR) pkg-config
else
PKGCONF := pkg-config
endif
ARCH    := $(shell $(CC) -dumpmachine 2>/dev/null | sed 's/-.*//;s/x86_64/x86/;s/aarch64/arm64/')
VMLINUX_H ?= vmlinux/vmlinux.h

Q = $(if $(filter 1,$(V)),,@)
say = $(if $(filter 1,$(V)),@:,@printf '  %-8s %s\n' $(1) $(2))

# The goals that install what is missing must work before pkg-config exists.
ifeq ($(filter run demo-oracle demo-mine bench check quality soak check-vm check-arm64 clean deps help,$(MAKECMDGOALS)),)
PKG_CFLAGS := $(shell $(PKGCONF) --cflags $(PKG))
PKG_LIBS   := $(shell $(PKGCONF) --libs $(PKG)) -lm
START_LIBS := $(shell $(PKGCONF) --libs $(PKG_START))
KEEPER_LIBS := $(shell $(PKGCONF) --libs $(PKG_KEEPER))
endif

WARN    := -Wall -Wextra -Wshadow -Wmissing-prototypes -Wstrict-prototypes -Wformat=2 \
           -Wno-unused-parameter -Wno-missing-field-initializers \
           -Wno-gnu-variable-sized-type-not-at-end $(if $(WERROR),-Werror)
comma   := ,
SAN     := $(if $(SANITIZE),-fsanitize=address$(comma)undefined -fno-sanitize-recover=all \
           $(if $(findstring clang,$(CC)),-D__SANITIZE_ADDRESS__)) # gcc says so itself
CFLAGS  ?= -O2 -g
ALL_CFLAGS = -std=gnu11 -D_GNU_SOURCE $(CFLAGS) $(WARN) $(SAN) $(PKG_CFLAGS) \
             -I. -Iuser -I$(O)/gen -MMD -MP
BPF_CFLAGS = -g -O2 -target bpf -mcpu=v3 -D__TARGET_ARCH_$(ARCH) -Wall -Wno-unused-function \
             -I. -include $(VMLINUX_H) -I$(dir $(VMLINUX_H)) -MMD -MP

LIB_SRC := $(filter-out user/cli/main.c user/start/main.c user/keeper/main.c,$(wildcard user/*/*.c))
LIB_OBJ := $(LIB_SRC:%.c=$(O)/%.o) $(O)/gen/calls_tables.o
BPF_OBJ := $(patsubst bpf/%.bpf.c,$(O)/bpf/%.bpf.o,$(wildcard bpf/*.bpf.c))
SKEL    := $(patsubst bpf/%.bpf.c,$(O)/gen/%.skel.h,$(wildcard bpf/*.bpf.c))
UNIT    := $(patsubst tests/%.c,$(O)/%,$(wildcard tests/unit/test_*.c tests/bpf/test_*.c))
TOOLS   := $(patsubst tests/tools/%.c,$(O)/tools/%,$(wildcard tests/tools/*.c)) \
           $(O)/tools/variety-static $(O)/tools/tamis-start-faults $(O)/tools/tamis-keeper-faults \
           $(if $(SYSROOT),,$(O)/tools/planted-asan) \
           $(if $(filter x86,$(ARCH)),$(O)/tools/variety-32 $(O)/tools/variety-static-32)
BENCHES := $(O)/bench/getppid_loop $(O)/bench/empty $(O)/bench/turns $(O)/bench/spawn \
           $(O)/bench/nothing $(O)/bench/task $(O)/bench/alternate

.DELETE_ON_ERROR:
.SECONDARY:
.SUFFIXES:
.PHONY: quality budget coverage sanitized counted unit-valgrind fuzz all run demo-oracle demo-mine check check-vm check-arm64 unit unit-san tools bench soak lint format deps clean help install

all: $(O)/tamis $(O)/tamis-start $(O)/tamis-keeper

help:
	@sed -n 's/^# \(make.*\)/\1/p' Makefile

# --- the two commands of the README -----------------------------------------------------
deps:
	$(Q)tests/deps check

run:
	$(Q)tests/deps run
	$(Q)$(MAKE) --no-print-directory all
	$(Q)O=$(O) tests/demo/run

demo-oracle:
	$(Q)tests/deps oracle
	$(Q)$(MAKE) --no-print-directory all
	$(Q)O=$(O) tests/demo/oracle

demo-mine:
	$(Q)tests/deps mine
	$(Q)$(MAKE) --no-print-directory all $(O)/tools/refused
	$(Q)O=$(O) tests/demo/mine

check: deps
	$(Q)$(MAKE) --no-print-directory all tools
	$(Q)O=$(O) tests/run

quality: deps
	$(Q)$(MAKE) --no-print-directory all tools
	$(Q)O=$(O) tests/run quality

check-vm:
	$(Q)tests/deps vm
	$(Q)$(MAKE) --no-print-directory all tools
	$(Q)O=$(O) tests/vm/run $(KERNELS)

check-arm64:
	$(Q)tests/deps arm64
	$(Q)O=$(O)/arm64 tests/arm64/run $(KERNELS)

# --- build --------------------------------------------------------------------------------
$(O)/tamis: $(O)/user/cli/main.o $(O)/libtamis.a
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) $(SAN) $(LDFLAGS) -o $@ $^ $(PKG_LIBS)

$(O)/tamis-start: $(O)/user/start/main.o $(O)/libtamis.a
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) $(SAN) $(LDFLAGS) -o $@ $^ $(START_LIBS)

$(O)/tamis-keeper: $(O)/user/keeper/main.o $(O)/libtamis.a
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) $(SAN) $(LDFLAGS) -o $@ $^ $(KEEPER_LIBS)

$(O)/libtamis.a: $(LIB_OBJ)
	$(call say,AR,$@)
	$(Q)rm -f $@ && $(AR) rcs $@ $^

$(O)/%.o: %.c | $(SKEL)
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D) && $(CC) $(ALL_CFLAGS) -c -o $@ $<

$(O)/gen/calls_tables.o: $(O)/gen/calls_tables.c
	$(call say,CC,$<)
	$(Q)$(CC) $(ALL_CFLAGS) -c -o $@ $<

$(O)/gen/calls_tables.c: user/model/calls/tables.awk $(wildcard user/model/calls/*.tbl)
	$(call say,GEN,$@)
	$(Q)mkdir -p $(@D) && awk -f $^ >$@

$(patsubst %.c,$(O)/%.o,$(wildcard user/policy/data*.c user/mine/*_data.c)) $(O)/user/emit/groups.o $(O)/user/identity/names.o: $(wildcard policies/*/*)

$(O)/user/mine/report.o: $(addprefix user/mine/report.,html css js)

# --- kernel half --------------------------------------------------------------------------
$(O)/bpf/%.bpf.o: bpf/%.bpf.c $(VMLINUX_H) Makefile
	$(call say,BPF,$<)
	$(Q)mkdir -p $(@D) && $(CLANG) $(BPF_CFLAGS) -c -o $@ $<

$(O)/gen/%.skel.h: $(O)/bpf/%.bpf.o
	$(call say,SKEL,$@)
	$(Q)mkdir -p $(@D) && $(BPFTOOL) gen skeleton $< >$@

# --- tests --------------------------------------------------------------------------------
define LINK_TEST
	$(call say,TEST,$@)
	$(Q)mkdir -p $(@D) && $(CC) $(CFLAGS) $(SAN) -o $@ $^ $(PKG_LIBS) -lcmocka
endef

$(O)/tests/%.o: ALL_CFLAGS += -Itests -Werror=unused-function

$(O)/unit/%: $(O)/tests/unit/%.o $(O)/libtamis.a
	$(LINK_TEST)

$(O)/bpf/test_%: $(O)/tests/bpf/test_%.o $(O)/libtamis.a
	$(LINK_TEST)

$(O)/tools/%: tests/tools/%.c
	$(call say,TOOL,$@)
	$(Q)$(call tool,$(TOOL_FLAGS))

# The programs that tests run: one without a C library, one in each kind of executable.
tool = mkdir -p $(@D) && $(CC) -std=gnu11 -D_GNU_SOURCE -O2 -g -Wall -Wextra -I. $(1) -o $@ $< -lpthread
$(O)/tools/failalloc: TOOL_FLAGS := -shared -fPIC
$(O)/tools/calls: TOOL_FLAGS := -static -nostdlib -ffreestanding -fno-stack-protector
$(O)/tools/needs $(O)/tools/asks $(O)/tools/asker $(O)/tools/forger $(O)/tools/planted: TOOL_FLAGS := -static
$(O)/tools/variety-static: tests/tools/variety.c
	$(call say,TOOL,$@)
	$(Q)$(call tool,-static)
$(O)/tools/variety-32: tests/tools/variety.c
	$(call say,TOOL,$@)
	$(Q)$(call tool,-m32)
$(O)/tools/variety-static-32: tests/tools/variety.c
	$(call say,TOOL,$@)
	$(Q)$(call tool,-m32 -static)
$(O)/tools/planted-asan: tests/tools/planted.c
	$(call say,TOOL,$@)
	$(Q)$(call tool,-fsanitize=address $(if $(findstring clang,$(CC)),,-static-libasan))

# Those that drive what tamis-start is made of, and the estimators.
$(O)/tools/start $(O)/tools/rule $(O)/tools/unseen: $(O)/tools/%: $(O)/tests/tools/%.o $(O)/libtamis.a
	$(call say,TOOL,$@)
	$(Q)mkdir -p $(@D) && $(CC) $(CFLAGS) $(SAN) -o $@ $^ $(START_LIBS) -lm

$(O)/tools/report $(O)/tools/budget $(O)/tools/leftout: $(O)/tools/%: $(O)/tests/tools/%.o $(O)/libtamis.a
	$(call say,TOOL,$@)
	$(Q)mkdir -p $(@D) && $(CC) $(CFLAGS) $(SAN) -o $@ $^ $(PKG_LIBS)

# tamis-start with faults that tests ask for, tamis-keeper that is killed where they do
# (user/*/faults.h).
$(O)/faults/%.o: %.c
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D) && $(CC) $(ALL_CFLAGS) -DTAMIS_FAULTS -c -o $@ $<
$(O)/tools/tamis-start-faults: $(patsubst %,$(O)/faults/user/start/%.o,main ask faults) $(O)/libtamis.a
	$(call say,TOOL,$@)
	$(Q)mkdir -p $(@D) && $(CC) $(CFLAGS) $(SAN) -o $@ $^ $(START_LIBS)
$(O)/tools/tamis-keeper-faults: $(patsubst %,$(O)/faults/user/keeper/%.o,main conns serve faults) $(O)/libtamis.a
	$(call say,TOOL,$@)
	$(Q)mkdir -p $(@D) && $(CC) $(CFLAGS) $(SAN) -o $@ $^ $(KEEPER_LIBS)

$(O)/bench/%.bpf.o: tests/bench/%.bpf.c $(VMLINUX_H)
	$(call say,BPF,$<)
	$(Q)mkdir -p $(@D) && $(CLANG) $(BPF_CFLAGS) -c -o $@ $<

$(O)/bench/%.skel.h: $(O)/bench/%.bpf.o
	$(call say,SKEL,$@)
	$(Q)$(BPFTOOL) gen skeleton $< >$@

$(O)/bench/empty $(O)/bench/turns: $(O)/bench/empty.skel.h
$(O)/bench/turns: $(O)/libtamis.a
$(O)/bench/nothing $(O)/bench/task: LDFLAGS += -static
$(O)/bench/%: tests/bench/%.c
	$(call say,BENCH,$@)
	$(Q)mkdir -p $(@D) && $(CC) $(ALL_CFLAGS) -I$(O)/bench $(LDFLAGS) -o $@ $< $(filter %.a,$^) \
		$(if $(filter -static,$(LDFLAGS)),,$(PKG_LIBS))

# Every parser of outside input under libFuzzer, from its corpus, TIME seconds each.
TIME    ?= 60
FUZZ    := $(patsubst tests/fuzz/fuzz_%.c,$(O)/fuzz/%,$(wildcard tests/fuzz/fuzz_*.c))
FUZZ_SRC = $(wildcard user/base/*.c user/model/*.c user/model/calls/*.c user/emit/*.c user/identity/*.c) \
           user/sensor/readback.c user/learn/origin.c user/apply/applied.c user/apply/applied_json.c \
           user/apply/generation_json.c user/apply/reach.c user/apply/note.c user/keeper/journal_line.c \
           $(wildcard user/apply/trial_*.c) user/start/scan.c user/start/spec.c user/start/spec_profile.c \
           $(patsubst %,user/mine/explore_%.c,word block parse step links)

FUZZ_CC  = $(CLANG) -std=gnu11 -D_GNU_SOURCE -g -O1 $(PKG_CFLAGS) -I. -Iuser -MMD -MP
FUZZ_OBJ = $(FUZZ_SRC:%.c=$(O)/fuzz/obj/%.o) $(O)/fuzz/obj/gen/calls_tables.o

$(O)/fuzz/obj/gen/%.o: $(O)/gen/%.c
	$(Q)mkdir -p $(@D) && $(FUZZ_CC) -fsanitize=fuzzer-no-link,address,undefined -c -o $@ $<
$(O)/fuzz/obj/%.o: %.c
	$(Q)mkdir -p $(@D) && $(FUZZ_CC) -fsanitize=fuzzer-no-link,address,undefined -c -o $@ $<
$(O)/fuzz/obj/user/emit/groups.o $(O)/fuzz/obj/user/identity/names.o: $(wildcard policies/*/*)
$(O)/fuzz/obj/lib.a: $(FUZZ_OBJ)
	$(Q)rm -f $@ && $(AR) rcs $@ $^
$(O)/fuzz/%: tests/fuzz/fuzz_%.c $(O)/fuzz/obj/lib.a
	$(call say,FUZZ,$@)
	$(Q)$(FUZZ_CC) -fsanitize=fuzzer,address,undefined -o $@ $< $(O)/fuzz/obj/lib.a $(PKG_LIBS)

fuzz: $(FUZZ)
	$(Q)O=$(O) TIME=$(TIME) tests/fuzz/run $(FUZZ)

budget: $(O)/tools/budget
	$(Q)O=$(O) tests/bpf/budget

unit: $(UNIT)
	$(Q)O=$(O) tests/run unit

# What valgrind doesn't know of the kernel.
NATIVE  := $(O)/quality/native $(O)/quality/native.so
$(O)/quality/native.so: TOOL_FLAGS := -shared -fPIC -DPRELOADED -Wno-unused-parameter
$(NATIVE): tests/quality/native.c
	$(call say,TOOL,$@)
	$(Q)$(call tool,$(TOOL_FLAGS))

unit-valgrind: $(UNIT) $(NATIVE)
	$(Q)O=$(O) tests/quality/valgrind

# By clang and sanitized; by gcc and counting lines. Not both at once: LLVM's counters write their
# files before an exec, too, and AddressSanitizer's allocator may be another thread's at the fork.
SANITIZED := CC=$(CLANG) CFLAGS='-O1 -g' SANITIZE=1
COUNTED   := CC=gcc CFLAGS='-O1 -g --coverage -fprofile-update=atomic' WERROR=
sanitized:
	$(Q)$(MAKE) --no-print-directory O=$(O)/san $(SANITIZED) all tools
counted:
	$(Q)$(MAKE) --no-print-directory O=$(O)/cov $(COUNTED) all tools

unit-san: sanitized
	$(Q)tests/quality/units $(O)/san

coverage: deps
	$(Q)$(MAKE) --no-print-directory counted
	$(Q)O=$(O)/cov tests/quality/measure

tools: $(TOOLS) $(UNIT)

# TIME as given; fuzz has another default.
SOAK_TIME = $(if $(filter file,$(origin TIME)),1h,$(TIME))
soak: deps
	$(Q)$(MAKE) --no-print-directory all tools
	$(Q)O=$(O) TIME=$(SOAK_TIME) tests/soak/run

# BENCH=NAME: that one alone, of those in tests/bench/run.
bench:
	$(Q)tests/deps bench
	$(Q)$(MAKE) --no-print-directory all tools $(BENCHES)
	$(Q)O=$(O) tests/bench/run $(BENCH)

lint:
	$(Q)O=$(O) tests/lint/run

format:
	$(Q)git ls-files '*.c' '*.h' | xargs clang-format -i

install: all
	$(Q)install -D -m 755 $(O)/tamis $(DESTDIR)$(PREFIX)/sbin/tamis
	$(Q)install -D -m 755 $(O)/tamis-start $(DESTDIR)$(PREFIX)/libexec/tamis-start
	$(Q)install -D -m 755 $(O)/tamis-keeper $(DESTDIR)$(PREFIX)/libexec/tamis-keeper
	$(Q)install -D -m 644 user/man/tamis.1 $(DESTDIR)$(PREFIX)/share/man/man1/tamis.1
	$(Q)install -D -m 644 user/man/tamis-explore.5 $(DESTDIR)$(PREFIX)/share/man/man5/tamis-explore.5
	$(Q)install -D -m 644 user/completion/tamis.bash \
		$(DESTDIR)$(PREFIX)/share/bash-completion/completions/tamis
	$(Q)install -D -m 644 -t $(DESTDIR)$(UNITDIR) user/systemd/tamis.service \
		user/systemd/tamis-keeper.service user/systemd/tamis-keeper.socket

clean:
	$(Q)rm -rf $(O)

-include $(shell find $(O) -name '*.d' 2>/dev/null)
