# Thin: CMake and Ninja do the work, scripts/ the rest.
BUILD ?= build
PREFIX ?= /usr/local
.PHONY: build deps demo check box bench format clean install

build:
	@command -v cmake >/dev/null && command -v ninja >/dev/null || \
	    { echo 'cmake or ninja is missing: run `make deps` first'; exit 3; }
	@test -f $(BUILD)/build.ninja || cmake -S . -B $(BUILD) -G Ninja
	cmake --build $(BUILD) --target ocellus

deps:
	scripts/deps.sh

demo: deps
	$(MAKE) build
	scripts/demo.sh

check:
	scripts/check.sh

box:
	scripts/check-box.sh || test $$? -eq 77

bench: build
	bench/run.sh

format:
	find include src tests fuzz bench -name '*.[ch]' -print0 | xargs -0 clang-format -i

clean:
	rm -rf build build-*

install: build
	cmake --build $(BUILD) --target libocellus completions
	cmake --install $(BUILD) --prefix $(PREFIX)
