/* Includes LOOPS, a header whose path is from here, once for each set of instructions. */

#define WIDTH 2
#define TARGET
#define ISA any
#ifdef __aarch64__
#define FUSED(a, b, c) vfmaq_f64(c, a, b)
#else
#define FUSED(a, b, c) ((a) * (b) + (c))
#endif
#include LOOPS
#undef WIDTH
#undef TARGET
#undef ISA
#undef FUSED

#ifdef __x86_64__

#define WIDTH 4
#define TARGET TARGET_AVX2
#define ISA avx2
#define FUSED(a, b, c) _mm256_fmadd_pd(a, b, c)
#include LOOPS
#undef WIDTH
#undef TARGET
#undef ISA
#undef FUSED

#define WIDTH 8
#define TARGET TARGET_AVX512
#define ISA avx512
#define FUSED(a, b, c) _mm512_fmadd_pd(a, b, c)
#include LOOPS
#undef WIDTH
#undef TARGET
#undef ISA
#undef FUSED

#endif
