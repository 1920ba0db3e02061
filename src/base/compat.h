/* The only place for compiler extensions: attributes, SIMD clones, and their absence elsewhere.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef OC_BASE_COMPAT_H
#define OC_BASE_COMPAT_H

#if defined(__GNUC__)
#define OC_MUST_CHECK        __attribute__((warn_unused_result))
#define OC_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#define OC_UNUSED            __attribute__((unused))
#define OC_LIKELY(x)         __builtin_expect(!!(x), 1)
#define OC_ALWAYS_INLINE     inline __attribute__((always_inline))
#else
#define OC_MUST_CHECK
#define OC_PRINTF(fmt, args)
#define OC_UNUSED
#define OC_LIKELY(x)     (x)
#define OC_ALWAYS_INLINE inline
#endif

/* OC_SIMD before a plain loop function compiles it for several instruction sets; the loader picks
 * the widest that the CPU has. The function must be a leaf over a range and hold no OpenMP pragma
 * that outlines code (`omp simd` is fine, `omp parallel` is not: outlined bodies are not cloned).
 */
#if defined(__GNUC__) && !defined(__clang__) && defined(__x86_64__) && !defined(OC_SANITIZED)
#define OC_SIMD __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define OC_SIMD
#endif

/* A cache line; also what every large allocation is aligned to. */
enum { OC_CACHE_LINE = 64 };

#endif
