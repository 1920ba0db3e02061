/* The generator against its published answers, and what is drawn from it.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "../check.h"

#include <math.h>

#include "base/rng_int.h"

/* Random123's kat_vectors, philox4x32 with 10 rounds. */
static void philox_gives_the_published_answers(void **state) {
    (void)state;
    static const struct {
        uint32_t counter[4], key[2], out[4];
    } known[] = {
        {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
        {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
         {0xffffffff, 0xffffffff},
         {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
        {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
         {0xa4093822, 0x299f31d0},
         {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        uint32_t out[4];
        oci_philox(out, known[i].counter, known[i].key);
        assert_memory_equal(out, known[i].out, sizeof out);
    }
}

static void same_key_draws_the_same(void **state) {
    (void)state;
    oc_rng a, b;
    oc_rng_init(&a, 42, OC_RNG_TEST, 3, 7);
    oc_rng_init(&b, 42, OC_RNG_TEST, 3, 7);
    for (int i = 0; i < 100; i++) assert_int_equal(oc_rng_u32(&a), oc_rng_u32(&b));
}

static void filling_draws_the_same_as_calls(void **state) {
    (void)state;
    oc_rng a, b;
    uint32_t out[23];
    oc_rng_init(&a, 42, OC_RNG_TEST, 3, 7);
    oc_rng_init(&b, 42, OC_RNG_TEST, 3, 7);
    for (size_t n = 0; n < 23; n++) {
        oc_rng_fill(&a, out, n);
        for (size_t i = 0; i < n; i++) assert_int_equal(out[i], oc_rng_u32(&b));
    }
}

static void each_part_of_the_key_matters(void **state) {
    (void)state;
    oc_rng r[7];
    oc_rng_init(&r[0], 42, OC_RNG_TEST, 3, 7);
    oc_rng_init(&r[1], 43, OC_RNG_TEST, 3, 7);
    oc_rng_init(&r[2], 42, OC_RNG_SYNTH, 3, 7);
    oc_rng_init(&r[3], 42, OC_RNG_TEST, 4, 7);
    oc_rng_init(&r[4], 42, OC_RNG_TEST, 3, 8);
    oc_rng_init(&r[5], 42, OC_RNG_TEST, 3, 7 + (1ULL << 32));
    oc_rng_init(&r[6], 42 + (1ULL << 32), OC_RNG_TEST, 3, 7);
    uint32_t first[7];
    for (int i = 0; i < 7; i++) {
        first[i] = oc_rng_u32(&r[i]);
        for (int k = 0; k < i; k++) assert_int_not_equal(first[i], first[k]);
    }
}

static void below_covers_its_range_evenly(void **state) {
    (void)state;
    oc_rng rng;
    int seen[6] = {0};
    oc_rng_init(&rng, 1, OC_RNG_TEST, 0, 0);
    for (int i = 0; i < 60000; i++) seen[oc_rng_below(&rng, 6)]++;
    for (int i = 0; i < 6; i++) assert_in_range(seen[i], 9600, 10400); /* 4 deviations: 365 */
    for (int i = 0; i < 10; i++) assert_int_equal(oc_rng_below(&rng, 1), 0);
    for (int i = 0; i < 1000; i++) assert_true(oc_rng_below(&rng, 0x80000001) <= 0x80000000);
}

static void uniform_stays_in_its_range(void **state) {
    (void)state;
    oc_rng rng;
    double sum = 0;
    oc_rng_init(&rng, 2, OC_RNG_TEST, 0, 0);
    for (int i = 0; i < 100000; i++) {
        float u = oc_rng_uniform(&rng), v = oc_rng_between(&rng, -3, 5);
        assert_true(u >= 0 && u < 1 && v >= -3 && v <= 5);
        sum += (double)u;
    }
    assert_true(fabs(sum / 1e5 - 0.5) < 0.004); /* 4 deviations: 0.0037 */
}

static void normal_has_its_moments(void **state) {
    (void)state;
    oc_rng rng;
    double sum = 0, squares = 0;
    oc_rng_init(&rng, 3, OC_RNG_TEST, 0, 0);
    for (int i = 0; i < 100000; i++) {
        double x = (double)oc_rng_normal(&rng);
        assert_true(isfinite(x));
        sum += x;
        squares += x * x;
    }
    assert_true(fabs(sum / 1e5) < 0.013); /* 4 deviations */
    assert_true(fabs(squares / 1e5 - 1) < 0.018);
}

static void shuffle_is_a_permutation_and_repeats(void **state) {
    (void)state;
    enum { N = 1000 };
    uint32_t a[N], b[N];
    bool seen[N] = {false};
    oc_rng rng;
    for (uint32_t i = 0; i < N; i++) a[i] = b[i] = i;
    oc_rng_init(&rng, 4, OC_RNG_SHUFFLE, 1, 0);
    oc_rng_shuffle(&rng, a, N);
    oc_rng_init(&rng, 4, OC_RNG_SHUFFLE, 1, 0);
    oc_rng_shuffle(&rng, b, N);
    assert_memory_equal(a, b, sizeof a);
    int moved = 0;
    for (uint32_t i = 0; i < N; i++) {
        assert_false(seen[a[i]]);
        seen[a[i]] = true;
        moved += a[i] != i;
    }
    assert_true(moved > 900);
    oc_rng_shuffle(&rng, NULL, 0);
}

/* The digest of no bytes, as XXH3's specification gives it for seed 0. */
static void hash_is_xxh3(void **state) {
    (void)state;
    assert_true(oc_hash64("", 0, 0) == 0x2d06800538d394c2ULL);
    assert_true(oc_hash64("a", 1, 0) != oc_hash64("a", 1, 1));
    assert_true(oc_hash64("a", 1, 0) != oc_hash64("b", 1, 0));
}

static void skipping_is_drawing_without_looking(void **state) {
    (void)state;
    for (uint64_t words = 0; words < 11; words++) {
        oc_rng a, b;
        oc_rng_init(&a, 5, OC_RNG_TEST, 1, 77);
        b = a;
        for (uint64_t i = 0; i < words; i++) (void)oc_rng_u32(&a);
        oc_rng_skip(&b, words);
        for (int i = 0; i < 9; i++) assert_int_equal(oc_rng_u32(&a), oc_rng_u32(&b));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(philox_gives_the_published_answers),
        cmocka_unit_test(same_key_draws_the_same),
        cmocka_unit_test(filling_draws_the_same_as_calls),
        cmocka_unit_test(each_part_of_the_key_matters),
        cmocka_unit_test(below_covers_its_range_evenly),
        cmocka_unit_test(uniform_stays_in_its_range),
        cmocka_unit_test(normal_has_its_moments),
        cmocka_unit_test(shuffle_is_a_permutation_and_repeats),
        cmocka_unit_test(hash_is_xxh3),
        cmocka_unit_test(skipping_is_drawing_without_looking),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
