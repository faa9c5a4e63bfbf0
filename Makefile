# What one can do with Moho; `make help` lists it. CMake and Ninja do the work (CMakePresets.json).
#   CC=gcc          another compiler, in a build folder of its own (build-gcc); default: clang where there is one
#   DEVICE=cpu      the device that tests, bench and demo use (sets MOHO_DEVICE)
#   CTEST_ARGS=     more for ctest in `make test`: CTEST_ARGS='-R segy'
#   JOBS=2          how many things at once; default: one a core
#   FUZZ_SECONDS=60 time for each fuzz target
#   PREFIX=/usr/local, DESTDIR=  where `make install` puts things

.DEFAULT_GOAL := build
.PHONY: build help demo python wheel modelled test bench lint format sanitize fuzz docs install clean setup-build setup-python setup-test setup-check

JOBS ?= $(shell nproc 2>/dev/null || sysctl -n hw.ncpu)
FUZZ_SECONDS ?= 60
PREFIX ?= /usr/local
# Asked for when it is needed: on a bare machine setup installs the compiler first.
COMPILER = $(if $(filter default undefined,$(origin CC)),$(shell command -v clang || command -v gcc || echo cc),$(CC))
BUILD := $(if $(filter command line,$(origin CC)),build-$(notdir $(CC)),build)
export CTEST_PARALLEL_LEVEL ?= $(JOBS)
# Several tests share the processors: threads that spin while they wait for work would take them from the others.
SHARED := OMP_WAIT_POLICY=passive
ifdef DEVICE
export MOHO_DEVICE := $(DEVICE)
endif

# Homebrew keeps libomp out of the compiler's sight; what setup built from source lies in build-deps.
ifeq ($(shell uname -s),Darwin)
OMP = $(shell brew --prefix libomp)
PLATFORM = -DOpenMP_C_FLAGS="-Xclang -fopenmp -I$(OMP)/include" -DOpenMP_C_LIB_NAMES=omp \
  -DOpenMP_omp_LIBRARY=$(OMP)/lib/libomp.dylib -DCMAKE_PREFIX_PATH="$(CURDIR)/build-deps;$(shell brew --prefix)"
export PKG_CONFIG_PATH := $(CURDIR)/build-deps/lib/pkgconfig:$(PKG_CONFIG_PATH)
endif

build: ## build the release into build/; the command is build/moho
	@test -f $(BUILD)/build.ninja || cmake --preset release -B $(BUILD) -DCMAKE_C_COMPILER=$(COMPILER) $(PLATFORM) \
	  || { rm -f $(BUILD)/CMakeCache.txt; echo "configuring failed: scripts/setup.sh installs what is missing" >&2; exit 1; }
	@cmake --build $(BUILD) -j $(JOBS) $(addprefix --target ,$(TARGETS))

help: ## list these
	@sed -n 's/^\([a-z]*\):[^#]*## /\1|/p' $(firstword $(MAKEFILE_LIST)) | while IFS='|' read -r name words; do \
	  printf '  make %-9s %s\n' "$$name" "$$words"; done
	@sed -n 's/^#   \([A-Z].*\)/  \1/p' $(firstword $(MAKEFILE_LIST))

demo: setup-build ## install what is missing, build, make a survey, migrate it: demo/ holds image, pictures and report
	@$(MAKE) --no-print-directory build TARGETS=moho_command
	@scripts/demo.sh $(BUILD)/moho demo

python: setup-python ## install what is missing, build moho for Python: PYTHONPATH=build/python uses it
	@test ! -f $(BUILD)/build.ninja || cmake $(BUILD) >/dev/null
	@$(MAKE) --no-print-directory build TARGETS=moho_python
	@PYTHONPATH=$(BUILD)/python $$(sed -n 's/^MOHO_PYTHON_EXECUTABLE:INTERNAL=//p' $(BUILD)/CMakeCache.txt) -c \
	  'import moho; print("moho", moho.__version__, "for Python: PYTHONPATH=$(BUILD)/python")'

wheel: setup-python ## one wheel for Python 3.11 and later, libraries inside: dist/moho-*.whl
	@$(or $(wildcard /usr/bin/python3),python3) -m pip wheel --quiet --no-build-isolation --no-deps --wheel-dir dist . && ls -l dist/moho-*.whl

modelled: build ## model two surveys by finite differences (ten minutes on two cores), migrate them, compare with the models
	@for model in large gradient; do \
	  /usr/bin/python3 examples/modeller/check.py $(BUILD)/moho $(BUILD)/example_modeller $(BUILD)/modelled/$$model examples/modeller/$$model.txt || exit 1; \
	done

# A build from before the tests' needs were installed knows no tests: configure it again.
test: setup-test ## install what is missing, build, run every test
	@test ! -f $(BUILD)/build.ninja || cmake $(BUILD) >/dev/null
	@$(MAKE) --no-print-directory build
	@$(SHARED) ctest --test-dir $(BUILD) --output-on-failure --no-tests=error $(CTEST_ARGS)

bench: build ## time the migration and compare the figures with bench/results
	@scripts/bench.sh $(BUILD)/moho

lint: setup-check ## formatting, clang-tidy, headers alone in C and C++, room rules, warnings of gcc and clang
	@JOBS=$(JOBS) scripts/lint.sh

format: ## format the sources in place
	@git ls-files '*.c' '*.h' | xargs clang-format -i

sanitize: setup-check ## all tests under address and undefined sanitizers, the migration's under the thread sanitizer
	@JOBS=$(JOBS) scripts/sanitize.sh

fuzz: setup-check ## each fuzz target for FUZZ_SECONDS with sanitizers
	@JOBS=$(JOBS) FUZZ_SECONDS=$(FUZZ_SECONDS) scripts/fuzz.sh

docs: build ## regenerate what the docs take from the program: pictures, tables
	@scripts/docs.sh $(BUILD)/moho

install: build ## install command, library, headers and man page under PREFIX
	@cmake --install $(BUILD) --prefix $(PREFIX)

clean: ## remove all build folders and demo/
	@rm -rf build build-bench build-gcc build-clang build-debug build-asan build-tsan build-fuzz build-lint-* demo

setup-build setup-python setup-test setup-check:
	@scripts/setup.sh $(@:setup-%=%)
