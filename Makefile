# kinoseek
#
# make              build build/kinoseek and build/kinoseek-decode (needs neither git nor network)
# make check        every test; ends with "N passed, N failed"
# make check-asan   every test under AddressSanitizer and UBSan
# make check-readers  every format through the program it is for (PyPI, once; not part of check)
# make check-page   the page in Debian's Chromium (playwright and axe-core from PyPI, once; not part of check)
# make check-tsan   the tests of everything that starts a thread, under ThreadSanitizer
# make torture      long hunts: kills, faults, mutants, power loss (SLICE=1: a seeded slice)
# make fuzz         libFuzzer targets (clang): build/fuzz/*
# make bench        speed and size, one CSV line a figure
# make demo         the demo films, ten questions, the answers (Q="..." asks yours)
# make layers       no folder includes what it must not see; every source is formatted
# make format       formats them (clang-format 14, Debian 12's)
# make headers      every public header compiles alone, as C11 and C++17
# make build/kinoseek.so    kinoseek_search() for SQLite (built by make tests and make install)
# make install      PREFIX=/usr/local DESTDIR=
# make deb          Debian packages, in build/deb (wants debhelper; dpkg-buildpackage says what else)
#
# Variables: SAN=address,undefined  NATIVE=1  PREFIX  LIBDIR  DESTDIR  CC  CXX  O=-O2

CC ?= cc
CXX ?= c++
O ?= -O2
PREFIX ?= /usr/local
LIBDIR ?= $(PREFIX)/lib
SAN ?=
COMMA := ,
BUILD ?= build$(if $(SAN),-$(subst $(COMMA),-,$(SAN)))
VERSION := $(shell sed -n 's/^\#define KS_VERSION "\(.*\)"/\1/p' ks.h)

# sentencepiece not: Debian 13's .pc asks for protobuf-lite's, which its package does not bring.
PKG_LIB := openblas sqlite3 jansson libmd zlib libxxhash
PKG_ING := libxml-2.0
PKG_DEC := libavformat libavcodec libavutil libswscale libswresample libseccomp libturbojpeg libxxhash libheif libwebpdemux libwebp
PKG_HUB := libpq
pc = $(shell pkg-config $(1) $(2) 2>/dev/null)

PC_CFLAGS := $(call pc,--cflags,$(PKG_LIB) $(PKG_ING) $(PKG_DEC) $(PKG_HUB))

WARN := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wvla -Werror
HARD := -fPIC -fstack-protector-strong $(if $(SAN),,-D_FORTIFY_SOURCE=2)
SANF := $(if $(SAN),-fsanitize=$(SAN) -fno-sanitize-recover=all -fno-omit-frame-pointer)
NATF := $(if $(NATIVE),-march=native)
CPPFLAGS += -I. -D_GNU_SOURCE -MMD -MP $(PC_CFLAGS)
CFLAGS += -std=c11 $(O) -g $(WARN) $(HARD) $(SANF) $(NATF)
CXXFLAGS += -std=c++17 $(O) -g -Wall -Wextra -Werror $(HARD) $(SANF) $(NATF)
LDFLAGS += -pie -Wl,-z,relro,-z,now,-z,noexecstack $(SANF)

# What the build finds: -lfaiss_c (Debian 12 ships its headers only, 13 a static one whose code cannot go into a shared
# library: of use is one that can), oneDNN.
probe = $(shell echo 'int main(void){return 0;}' | $(CC) -x c - -o /dev/null $(1) 2>/dev/null && echo yes)
HAVE_FAISS_C := $(call probe,-shared -fPIC -Wl$(COMMA)-u$(COMMA)faiss_get_last_error -lfaiss_c -lfaiss -lstdc++ -lopenblas -lgomp -lm)
HAVE_DNNL := $(call probe,-include dnnl.h)
ifeq ($(HAVE_DNNL),yes)
# The run-time name differs (libdnnl.so.2, .so.3.6): the build notes the one it was built beside.
DNNL_SO := $(shell objdump -p "$$($(CC) -print-file-name=libdnnl.so)" 2>/dev/null | awk '/SONAME/ { print $$2 }')
CPPFLAGS += -DKS_HAVE_DNNL $(if $(DNNL_SO),-DKS_DNNL_SO='"$(DNNL_SO)"')
endif

# A GPU by Vulkan: headers and a compiler of shaders at build time; the loader is looked for when it runs.
HAVE_VULKAN := $(and $(call probe,-include vulkan/vulkan.h),$(shell command -v glslangValidator))

LIBS := $(if $(HAVE_FAISS_C),-lfaiss_c) -lfaiss -lgomp $(call pc,--libs,$(PKG_LIB)) -lsentencepiece -lunistring -ldl -lpthread -lstdc++ -lm
LIBS_CLI := $(LIBS) $(call pc,--libs,$(PKG_ING)) -lseccomp
LIBS_DEC := $(call pc,--libs,$(PKG_DEC)) -lpthread -lm

ROOMS := encoder index decoder ingest query session formats eval sql cli serve
SRC_LIB := $(filter-out $(if $(HAVE_VULKAN),encoder/no_gpu.c,encoder/vulkan_%),$(wildcard encoder/*.c index/*.c query/*.c))
CXX_LIB := $(wildcard encoder/*.cc) $(if $(HAVE_FAISS_C),$(filter-out index/faiss_c.cc,$(wildcard index/*.cc)),$(wildcard index/*.cc))
SRC_DEC := $(wildcard decoder/decoder_*.c) decoder/wire.c
SRC_ING := $(wildcard ingest/*.c session/*.c formats/*.c) $(filter-out decoder/decoder_%,$(wildcard decoder/*.c))
SRC_CLI := $(wildcard cli/*.c eval/*.c serve/*.c)
SRC_TEST := $(filter-out $(if $(HAVE_VULKAN),,tests/test_gpu.c tests/test_gpu_choice.c),$(wildcard tests/test_*.c))
obj = $(patsubst %,$(BUILD)/%.o,$(1))
SHADER_OBJ := $(if $(HAVE_VULKAN),$(BUILD)/encoder/shaders.c.o)
OBJ_LIB := $(call obj,$(SRC_LIB) $(CXX_LIB)) $(SHADER_OBJ)
OBJ_ING := $(call obj,$(SRC_ING))
OBJ_CLI := $(call obj,$(SRC_CLI)) $(BUILD)/serve/page_files.c.o
OBJ_DEC := $(call obj,$(SRC_DEC))
# Helpers of tests: tests/*.c that are neither test_*.c nor programs of their own (prog_*.c).
OBJ_TESTLIB := $(call obj,$(filter-out tests/test_%.c tests/prog_%.c,$(wildcard tests/*.c)))
TESTS := $(patsubst tests/%.c,$(BUILD)/tests/%,$(SRC_TEST))
PROGS := $(patsubst tests/%.c,$(BUILD)/tests/%,$(filter-out $(if $(HAVE_VULKAN),,tests/prog_gpu_planted.c),$(wildcard tests/prog_*.c)))

.DELETE_ON_ERROR:
.SECONDARY:
.PHONY: all check check-asan check-tsan check-readers check-page torture fuzz bench demo layers format headers install uninstall deb clean help tests
all: $(BUILD)/kinoseek $(BUILD)/kinoseek-decode

help:
	@sed -n 's/^# \{0,1\}//p;/^$$/q' Makefile

$(BUILD)/%.c.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -c $< -o $@
$(BUILD)/%.cc.o: %.cc
	@mkdir -p $(@D)
	$(CXX) $(CPPFLAGS) $(CXXFLAGS) -c $< -o $@

# Versions that no library tells when it runs.
HASH := \#
$(BUILD)/encoder/about.c.o: CPPFLAGS += -DKS_SENTENCEPIECE_VERSION='"$(call pc,--modversion,sentencepiece)"' \
  -DKS_LIBMD_VERSION='"$(call pc,--modversion,libmd)"'
$(BUILD)/index/care.c.o: CPPFLAGS += -DKS_FAISS_VERSION='"$(shell printf '$(HASH)include <faiss/Index.h>\nKS FAISS_VERSION_MAJOR.FAISS_VERSION_MINOR.FAISS_VERSION_PATCH\n' | \
  $(CXX) -E -P -x c++ - 2>/dev/null | sed -n 's/^KS //p' | tr -d ' ')"'

# The shaders in the program: compiled, as tables of words.
SHADERS := $(sort $(wildcard encoder/shaders/*.comp))
$(BUILD)/encoder/shaders.c: $(SHADERS) encoder/shaders/embed.sh
	@mkdir -p $(@D)
	@sh encoder/shaders/embed.sh $(BUILD)/encoder $(SHADERS) >$@
$(BUILD)/encoder/shaders.c.o: $(BUILD)/encoder/shaders.c
	$(CC) $(CPPFLAGS) $(CFLAGS) -c $< -o $@

# The page in the program: its files, gzipped, as one table of bytes.
PAGE := $(sort $(wildcard serve/page/*))
$(BUILD)/serve/page_files.c: $(PAGE) serve/pack.sh
	@mkdir -p $(@D)
	@sh serve/pack.sh $(BUILD)/serve $(PAGE) >$@
$(BUILD)/serve/page_files.c.o: $(BUILD)/serve/page_files.c
	$(CC) $(CPPFLAGS) $(CFLAGS) -c $< -o $@

# Which sources there are: an archive is made anew when one comes or goes, not only when one changes.
$(BUILD)/sources: FORCE
	@mkdir -p $(@D)
	@echo '$(SRC_LIB) $(CXX_LIB) $(SRC_ING) $(SRC_CLI) $(SRC_DEC)' | cmp -s - $@ || echo '$(SRC_LIB) $(CXX_LIB) $(SRC_ING) $(SRC_CLI) $(SRC_DEC)' >$@
FORCE:
$(BUILD)/libkinoseek.a $(BUILD)/libkinoseek-ingest.a $(BUILD)/libcli.a: $(BUILD)/sources

$(BUILD)/libkinoseek.a: $(OBJ_LIB)
	@mkdir -p $(@D); rm -f $@
	$(AR) rcs $@ $(filter %.o,$^)
$(BUILD)/libkinoseek-ingest.a: $(OBJ_ING)
	@mkdir -p $(@D); rm -f $@
	$(AR) rcs $@ $(filter %.o,$^)

# The commands without main; an archive, so that tests link what they name.
$(BUILD)/libcli.a: $(filter-out $(BUILD)/cli/main.c.o,$(OBJ_CLI))
	@rm -f $@
	$(AR) rcs $@ $(filter %.o,$^)

$(BUILD)/kinoseek: $(BUILD)/cli/main.c.o $(BUILD)/libcli.a $(BUILD)/libkinoseek-ingest.a $(BUILD)/libkinoseek.a
	$(CC) $(LDFLAGS) $^ $(LIBS_CLI) -o $@
$(BUILD)/kinoseek-decode: $(OBJ_DEC)
	$(CC) $(LDFLAGS) $(OBJ_DEC) $(LIBS_DEC) -o $@

tests: all $(TESTS) $(PROGS) $(BUILD)/kinoseek.so
$(BUILD)/tests/test_%: $(BUILD)/tests/test_%.c.o $(OBJ_TESTLIB) $(BUILD)/libcli.a $(BUILD)/libkinoseek-ingest.a $(BUILD)/libkinoseek.a
	$(CC) $(LDFLAGS) $^ $(LIBS_CLI) $(call pc,--libs,check) -o $@
$(BUILD)/tests/prog_%: $(BUILD)/tests/prog_%.c.o $(OBJ_TESTLIB) $(BUILD)/libcli.a $(BUILD)/libkinoseek-ingest.a $(BUILD)/libkinoseek.a
	$(CC) $(LDFLAGS) $^ $(LIBS_CLI) $(call pc,--libs,check) -o $@

# Its calls of Vulkan go through tests/vulkan_between.h.
$(BUILD)/tests/test_gpu $(BUILD)/tests/test_gpu_choice: LDFLAGS += -Wl,--wrap=ks_vk_loader

# T="test_a test_b" runs only those (names of tests/test_*.c or tests/cli/*.sh without ending).
check: tests layers headers
	@BUILD=$(BUILD) sh tests/run.sh $(T)
# What starts a thread of ours, and ingest, embed and search whole. (The rest starts none, and FAISS' OpenMP is
# not instrumented; the decoder's own tests stand among the others, as libav's threads run in it.)
THREADED := test_pool test_towers test_fixtures test_attention test_kernels test_sentence test_weights test_pack test_catalog \
  test_copy test_score test_moments test_calibrate test_film_clock test_frames test_session test_bounds test_terms test_still \
  test_probe embed ingest search serve gpu_several
# odd_places takes address space, /proc and locales away, which the sanitizer itself needs; it runs in check.
check-asan:
	@$(MAKE) --no-print-directory SAN=address,undefined tests
	@KS_LEAVE=odd_places BUILD=build-address-undefined sh tests/run.sh $(T)
check-tsan:
	@$(MAKE) --no-print-directory SAN=thread tests
	@TSAN_OPTIONS="suppressions=$(CURDIR)/tests/tsan.supp" BUILD=build-thread sh tests/run.sh $(or $(T),$(THREADED))
check-readers: tests
	@BUILD=$(BUILD) sh tests/readers/check.sh
check-page: all
	@BUILD=$(BUILD) SHOTS=$(SHOTS) sh tests/page.sh
torture: tests
	@BUILD=$(BUILD) SLICE=$(SLICE) TORTURE=1 sh tests/run.sh $(T)

# A decoder that was taken over: the real program loop and sandbox around hostile work.
HOSTILE_OBJ := $(call obj,tests/prog_hostile_decoder.c decoder/decoder_main.c decoder/decoder_sandbox.c decoder/wire.c)
$(BUILD)/tests/prog_hostile_decoder: $(HOSTILE_OBJ)
	$(CC) $(LDFLAGS) $^ $(call pc,--libs,libseccomp) -lpthread -o $@

# All of kinoseek, with a fault of ours in its work on some films.
PLANTED_WRAP := -Wl,--wrap=ks_film_open,--wrap=ks_plan_frame,--wrap=ks_embedder_clip,--wrap=ks_indexer_take,--wrap=ks_say_file
$(BUILD)/tests/prog_planted: $(BUILD)/tests/prog_planted.c.o $(BUILD)/cli/main.c.o $(BUILD)/libcli.a $(BUILD)/libkinoseek-ingest.a $(BUILD)/libkinoseek.a
	$(CC) $(LDFLAGS) $(PLANTED_WRAP) $^ $(LIBS_CLI) -o $@

# All of kinoseek, on a GPU that goes wrong, is lost or has its program killed (without Vulkan: none does).
GPU_PLANTED_WRAP := -Wl,--wrap=ks_vk_loader,--wrap=ks_samples_open,--wrap=ks_sample_clip,--wrap=ks_sample_text
$(BUILD)/tests/prog_gpu_planted: $(BUILD)/tests/prog_gpu_planted.c.o $(BUILD)/cli/main.c.o $(BUILD)/libcli.a $(BUILD)/libkinoseek-ingest.a $(BUILD)/libkinoseek.a
	$(CC) $(LDFLAGS) $(GPU_PLANTED_WRAP) $^ $(LIBS_CLI) -o $@

# The decoder's parts without its main, many films a process: what they ask of the world is answered by the test.
MUTANTS_OBJ := $(call obj,tests/prog_mutants.c $(filter-out decoder/decoder_main.c decoder/wire%,$(SRC_DEC)))
MUTANTS_WRAP := -Wl,--wrap=fstat,--wrap=pread,--wrap=ks_wire_send,--wrap=ks_wire_recv,--wrap=ks_times_next
$(BUILD)/tests/prog_mutants: $(MUTANTS_OBJ) $(BUILD)/libkinoseek-ingest.a $(BUILD)/libkinoseek.a
	$(CC) $(LDFLAGS) $(MUTANTS_WRAP) $^ $(LIBS) $(LIBS_DEC) -o $@

layers:
	@awk -f tests/layers.awk ks.h $(foreach d,$(ROOMS) tests,$(wildcard $(d)/*.[ch] $(d)/*.cc))
	@sh tests/layers.sh

format:
	@clang-format --version | grep -q 'version 14\.' || { echo "format: clang-format 14 is wanted" >&2; exit 1; }
	@find . \( -name 'build*' -o -name .git \) -prune -o \( -name '*.c' -o -name '*.h' -o -name '*.cc' \) -print | xargs clang-format -i

headers:
	@for h in ks.h $(wildcard $(foreach d,$(ROOMS),$(d)/$(d).h)); do \
	  printf '#include "%s"\nint ks_header_alone;\n' $$h | $(CC) -I. -std=c11 $(WARN) -fsyntax-only -x c - || exit 1; \
	  printf '#include "%s"\nint ks_header_alone;\n' $$h | $(CXX) -I. -std=c++17 -Wall -Wextra -Werror -fsyntax-only -x c++ - || exit 1; done

FUZZ := $(patsubst tests/fuzz/%.c,build/fuzz/%,$(wildcard tests/fuzz/*.c))
fuzz: $(FUZZ)
FUZZ_FLAGS := -std=gnu11 -I. -D_GNU_SOURCE -O1 -g -fsanitize=address,undefined $(filter -DKS%,$(CPPFLAGS)) $(call pc,--cflags,$(PKG_LIB) $(PKG_ING))
# clang compiles our C anew with coverage, once for all targets; the C++ shims come from the ordinary build.
FUZZ_OBJ := $(patsubst %,build/fuzz/obj/%.o,$(SRC_LIB) $(SRC_ING) serve/gate.c serve/guard.c serve/url.c)
build/fuzz/obj/%.c.o: %.c
	@mkdir -p $(@D)
	clang $(FUZZ_FLAGS) -fsanitize=fuzzer-no-link -MMD -MP -c $< -o $@
build/fuzz/libfuzzed.a: $(FUZZ_OBJ) $(call obj,$(CXX_LIB)) $(SHADER_OBJ)
	@rm -f $@
	$(AR) rcs $@ $(filter %.o,$^)
build/fuzz/%: tests/fuzz/%.c build/fuzz/libfuzzed.a
	@mkdir -p $(@D)
	clang $(FUZZ_FLAGS) -fsanitize=fuzzer -MMD -MP -MF $@.d -MT $@ $< build/fuzz/libfuzzed.a $(LIBS_CLI) -o $@

bench: all $(BUILD)/tests/prog_lists
	@sh tests/bench/run.sh

demo: all
	@sh models/demo/demo.sh

# Shared libraries export what the public headers declare, and nothing else, under one version.
SONAME := 0
# A public header and its parts.
with_parts = $(foreach h,$(1),$(h) $(shell sed -n 's|^.include "\($(dir $(h))[a-z_]*\.h\)".*|\1|p' $(h)))
HEADERS := ks.h $(call with_parts,encoder/encoder.h index/index.h query/query.h)
HEADERS_ING := $(call with_parts,decoder/decoder.h ingest/ingest.h session/session.h formats/formats.h)
LIBS_ING := -lxxhash -ljansson $(call pc,--libs,$(PKG_ING)) -lpthread -lm
$(BUILD)/libkinoseek.map: $(HEADERS)
$(BUILD)/libkinoseek-ingest.map: $(HEADERS_ING)
$(BUILD)/%.map: Makefile
	@{ echo 'KINOSEEK_$(SONAME) { global:'; grep -hoE '\bks_[a-z0-9_]+ *\(' $(filter %.h,$^) | tr -d ' (' | sort -u | sed 's/$$/;/'; echo 'local: *; };'; } >$@
SHARED = $(CC) $(filter-out -pie,$(LDFLAGS)) -shared -Wl,-soname,$(notdir $@) -Wl,--version-script=$(filter %.map,$^) $(filter %.o,$^)
$(BUILD)/libkinoseek.so.$(SONAME): $(OBJ_LIB) $(BUILD)/libkinoseek.map
	$(SHARED) $(LIBS) -o $@
$(BUILD)/libkinoseek-ingest.so.$(SONAME): $(OBJ_ING) $(BUILD)/libkinoseek-ingest.map $(BUILD)/libkinoseek.so.$(SONAME)
	$(SHARED) $(BUILD)/libkinoseek.so.$(SONAME) $(LIBS_ING) -o $@

# Names as the shell takes them, spaces and quotes too: $(TO)/bin is one word.
quoted = '$(subst ','\'',$(1))'
# kinoseek_search() for every program that loads SQLite extensions; one symbol goes out.
OBJ_SQL := $(call obj,$(wildcard sql/*.c))
$(BUILD)/sql/own.map: Makefile
	@mkdir -p $(@D)
	@echo '{ global: sqlite3_kinoseek_init; local: *; };' >$@
$(BUILD)/kinoseek.so: $(OBJ_SQL) $(BUILD)/libkinoseek-ingest.a $(BUILD)/libkinoseek.a $(BUILD)/sql/own.map
	$(CC) $(filter-out -pie,$(LDFLAGS)) -shared -Wl,--version-script=$(filter %.map,$^) $(filter %.o %.a,$^) $(LIBS_CLI) -o $@

TO = $(call quoted,$(DESTDIR)$(PREFIX))
TO_LIB = $(call quoted,$(DESTDIR)$(LIBDIR))
LIBRARIES := libkinoseek libkinoseek-ingest
pc_file = printf 'prefix=%s\nlibdir=%s\nincludedir=$${prefix}/include/kinoseek\n\nName: %s\nDescription: %s\nVersion: %s\nCflags: -I"$${includedir}"\nLibs: -L"$${libdir}" %s\nLibs.private: %s\n' \
  $(call quoted,$(PREFIX)) $(call quoted,$(subst ^,,$(subst ^$(PREFIX)/,$${prefix}/,^$(LIBDIR)))) '$(1)' '$(2)' '$(VERSION)' '$(3)' '$(4)' >$(TO_LIB)/pkgconfig/$(1).pc
install: all $(foreach l,$(LIBRARIES),$(BUILD)/$(l).so.$(SONAME)) $(BUILD)/kinoseek.so
	install -d $(TO)/bin $(TO)/libexec/kinoseek $(TO_LIB)/pkgconfig $(TO)/share/man/man1 $(TO)/share/man/man5 $(TO)/share/doc/kinoseek \
	  $(TO)/share/bash-completion/completions $(TO)/share/zsh/site-functions $(TO)/share/fish/vendor_completions.d
	install $(BUILD)/kinoseek $(TO)/bin/kinoseek
	install $(BUILD)/kinoseek-decode $(TO)/libexec/kinoseek/kinoseek-decode
	install -D -m 644 $(BUILD)/kinoseek.so $(TO_LIB)/kinoseek/kinoseek.so
	for h in $(HEADERS) $(HEADERS_ING); do install -D -m 644 $$h $(TO)/include/kinoseek/$$h || exit 1; done
	for l in $(LIBRARIES); do install -m 644 $(BUILD)/$$l.a $(BUILD)/$$l.so.$(SONAME) $(TO_LIB)/ && ln -sf $$l.so.$(SONAME) $(TO_LIB)/$$l.so || exit 1; done
	$(call pc_file,kinoseek,finds moments in video by meaning,-lkinoseek,$(LIBS))
	$(call pc_file,kinoseek-ingest,films into a kinoseek library,-lkinoseek-ingest -lkinoseek,$(LIBS_ING) $(LIBS))
	to=$$(cd $(TO) && pwd) && cd models && find . -type f \( -name '*.npz' -o -name '*.spm' -o -name '*.tsv' -o -name NOTICE -o -name README.md -o -path "./labels/*.txt" \) -not -path '*/films/*' \
	  -not -path '*/train/*' -not -path '*/eval/*' -exec install -D -m 644 {} "$$to"/share/kinoseek/models/{} \;
	$(BUILD)/kinoseek manual | while read -r page; do $(BUILD)/kinoseek manual $$page >$(TO)/share/man/man1/$$page.1 || exit 1; done
	for p in $(wildcard man/*.5); do install -m 644 $$p $(TO)/share/man/man5/ || exit 1; done
	$(BUILD)/kinoseek completion bash >$(TO)/share/bash-completion/completions/kinoseek
	$(BUILD)/kinoseek completion zsh >$(TO)/share/zsh/site-functions/_kinoseek
	$(BUILD)/kinoseek completion fish >$(TO)/share/fish/vendor_completions.d/kinoseek.fish
	install -m 644 README.md LICENSE NOTICE $(TO)/share/doc/kinoseek/
	install -d $(TO)/lib/systemd/user
	for u in kinoseek-watch.service kinoseek-ingest.service; do \
	  P=$(call quoted,$(PREFIX)) awk '/^@HARDENING@$$/ { while ((getline l <"systemd/hardening") > 0) print l; close("systemd/hardening"); next } \
	  { i = index($$0, "@PREFIX@"); print i ? substr($$0, 1, i - 1) ENVIRON["P"] substr($$0, i + 8) : $$0 }' systemd/$$u.in \
	  >$(TO)/lib/systemd/user/$$u || exit 1; done
	install -m 644 systemd/kinoseek-ingest.timer $(TO)/lib/systemd/user/

uninstall:
	rm -f $(TO)/bin/kinoseek $(foreach l,$(LIBRARIES),$(TO_LIB)/$(l).a $(TO_LIB)/$(l).so $(TO_LIB)/$(l).so.$(SONAME)) $(TO_LIB)/pkgconfig/kinoseek.pc \
	  $(TO_LIB)/pkgconfig/kinoseek-ingest.pc $(TO)/share/man/man1/kinoseek.1 $(TO)/share/man/man1/kinoseek-*.1 $(TO)/share/man/man5/kinoseek-*.5 \
	  $(TO)/share/bash-completion/completions/kinoseek $(TO)/share/zsh/site-functions/_kinoseek $(TO)/share/fish/vendor_completions.d/kinoseek.fish
	rm -f $(TO)/lib/systemd/user/kinoseek-watch.service $(TO)/lib/systemd/user/kinoseek-ingest.service $(TO)/lib/systemd/user/kinoseek-ingest.timer
	rm -rf $(TO)/libexec/kinoseek $(TO_LIB)/kinoseek $(TO)/include/kinoseek $(TO)/share/kinoseek $(TO)/share/doc/kinoseek

# From a copy, so that nothing that was built here takes part. Source, packages and dbgsym.
DEB := $(BUILD)/deb/kinoseek-$(VERSION)
deb:
	@head -n 1 debian/changelog | grep -qF '($(VERSION))' || { echo "deb: debian/changelog is not about $(VERSION)" >&2; exit 1; }
	rm -rf $(BUILD)/deb && mkdir -p $(DEB)
	tar -c --exclude=./.git --exclude='./build*' --exclude=__pycache__ . | tar -x -C $(DEB)
	cd $(DEB) && env -u MAKEFLAGS -u MAKELEVEL dpkg-buildpackage -us -uc
	rm -rf $(DEB)

clean:
	rm -rf build build-address-undefined build-thread

-include $(patsubst %.o,%.d,$(OBJ_LIB) $(OBJ_ING) $(OBJ_CLI) $(OBJ_DEC) $(OBJ_SQL) $(call obj,$(wildcard tests/*.c)) $(FUZZ_OBJ)) $(FUZZ:%=%.d)
