/* Includes LOOPS, a header whose path is from here, once for each set of instructions. */

#define WIDTH 2
#define TARGET
#define ISA any
#include LOOPS
#undef WIDTH
#undef TARGET
#undef ISA

#ifdef __x86_64__

#define WIDTH 4
#define TARGET TARGET_AVX2
#define ISA avx2
#include LOOPS
#undef WIDTH
#undef TARGET
#undef ISA

#define WIDTH 8
#define TARGET TARGET_AVX512
#define ISA avx512
#include LOOPS
#undef WIDTH
#undef TARGET
#undef ISA

#endif
