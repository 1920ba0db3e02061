#!/bin/sh
# Everything that keeps the house honest, stage by stage; what `make check` and CI run.
#   FUZZ_SECONDS  how long each fuzz target runs (20)
#   JOBS          how many jobs at once (the cores)
# Full logs are in build*/log. The last line counts: each ctest test, each static check and each
# fuzz target is one.
# SPDX-License-Identifier: BSD-2-Clause
set -u
cd "$(dirname "$0")/.." || exit 3
jobs=${JOBS-$(nproc)}
passed=0
failed=0
skipped=0
export OMP_WAIT_POLICY=passive # tests share the cores
export ASAN_OPTIONS=allocator_may_return_null=1:detect_stack_use_after_return=1
export UBSAN_OPTIONS=print_stacktrace=1
export TSAN_OPTIONS=halt_on_error=1
mkdir -p build/log

# stage HEADLINE LOG COMMAND...: run it, say how long it took, show the end of its log if it failed
stage() {
    headline=$1
    log=$2
    shift 2
    mkdir -p "$(dirname "$log")"
    began=$(date +%s)
    "$@" >"$log" 2>&1
    rc=$?
    word=ok
    [ $rc -eq 0 ] || word=FAILED
    printf '%-44s %6s %4d s\n' "$headline" $word $(($(date +%s) - began))
    [ $rc -eq 0 ] || tail -n 60 "$log"
    return $rc
}

# one: a stage that counts as one check
one() {
    if stage "$@"; then passed=$((passed + 1)); else failed=$((failed + 1)); fi
}

# many: a stage whose log has a line for each check, as ctest and fuzz.sh write them
many() {
    stage "$@" && rc=0 || rc=1
    skips=$(grep -c '\*\*\*Skipped' "$2")
    bad=$(grep -cE '\*\*\*(Failed|Timeout|Exception|Not Run)' "$2")
    passed=$((passed + $(grep -cE '[ :]Passed ' "$2")))
    skipped=$((skipped + skips))
    [ $rc -eq 0 ] || [ "$bad" -gt 0 ] || bad=1
    failed=$((failed + bad))
}

# configure FOLDER OPTIONS...
configure() {
    folder=$1
    shift
    cmake -S . -B "$folder" -G Ninja -DOC_WERROR=ON "$@"
}

build_release() { configure build -DOC_TESTS=ON && ninja -C build -j "$jobs"; }
build_clang() {
    CC=clang configure build-clang -DCMAKE_BUILD_TYPE=Debug && ninja -C build-clang -j "$jobs"
}
build_asan() {
    configure build-asan -DCMAKE_BUILD_TYPE=Debug -DCMAKE_C_FLAGS_DEBUG='-O1 -g' \
        -DOC_SANITIZE=address,undefined && ninja -C build-asan -j "$jobs"
}
# only the tests where threads meet; without OpenMP, whose library tells TSan nothing of its barriers
build_tsan() {
    configure build-tsan -DCMAKE_BUILD_TYPE=Debug -DCMAKE_C_FLAGS_DEBUG='-O1 -g' \
        -DOC_SANITIZE=thread -DCMAKE_DISABLE_FIND_PACKAGE_OpenMP=ON || return 1
    targets=$(ctest --test-dir build-tsan -N -L tsan | sed -n 's/^ *Test *#[0-9]*: //p')
    # shellcheck disable=SC2086 # a list of words
    ninja -C build-tsan -j "$jobs" $targets
}
build_fuzz() {
    CC=clang configure build-fuzz -DCMAKE_BUILD_TYPE=Debug -DCMAKE_C_FLAGS_DEBUG='-O1 -g' \
        -DOC_TESTS=OFF -DOC_FUZZ=ON -DOC_SANITIZE=address,undefined,fuzzer-no-link &&
        ninja -C build-fuzz -j "$jobs" fuzz/all
}
test_in() {
    folder=$1
    shift
    ctest --test-dir "$folder" -j "$jobs" --timeout 600 --output-on-failure "$@"
}
check_format() {
    find include src tests fuzz bench -name '*.[ch]' -print0 | xargs -0 clang-format --dry-run -Werror
}

stage 'packages' build/log/deps.log scripts/deps.sh --check || exit 3
# other programs that read and write the same files; tests do without them where they cannot be had
export OC_PEERS="${OC_PEERS-$PWD/build/peers}"
stage 'peers of the tests' build/log/peers.log scripts/peers.sh "$OC_PEERS" || echo '(goes on without)'
stage 'a browser for the page' build/log/browser.log scripts/browser.sh || echo '(goes on without)'
one 'arrows between rooms' build/log/arrows.log scripts/check-arrows.sh
one '... and its own test' build/log/arrows-test.log scripts/check-arrows-test.sh
one 'headers alone' build/log/headers.log scripts/check-headers.sh
one 'banned calls, sizes, licence lines' build/log/banned.log scripts/check-banned.sh
one '... and their own test' build/log/banned-test.log scripts/check-banned-test.sh
one 'layout (clang-format)' build/log/format.log check_format
one 'build: gcc, release' build/log/build.log build_release
one 'no mutable globals' build/log/globals.log scripts/check-globals.sh build
one 'build: clang' build-clang/log/build.log build_clang
one 'build: ASan + UBSan' build-asan/log/build.log build_asan
many 'tests: ASan + UBSan' build-asan/log/test.log test_in build-asan -LE 'slow|real'
many '... and every op in every engine' build-asan/log/agree.log test_in build-asan -R '^test_agree$'
one 'build: TSan' build-tsan/log/build.log build_tsan
many 'tests: TSan, where threads meet' build-tsan/log/test.log test_in build-tsan -L tsan
one 'build: fuzz targets' build-fuzz/log/build.log build_fuzz
many 'fuzz' build-fuzz/log/fuzz.log scripts/fuzz.sh build-fuzz "${FUZZ_SECONDS-20}"
many 'tests: release' build/log/test.log test_in build

# what a machine without the photos, or root, leaves out
grep -hoE '(\*\*\*Skipped|\[  SKIPPED \] [a-z][a-z0-9_]+)$' build*/Testing/Temporary/LastTest.log | sort -u
[ "$skipped" -eq 0 ] || echo "$skipped skipped"
echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
