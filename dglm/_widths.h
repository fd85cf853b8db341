/* Sets of instructions that a loop is compiled for, by the doubles that fit into a register, and which of them to take.

   A loop stands in a header of its own that is included once for each: NAME(x) is x with the suffix ISA, TARGET the
   attribute that allows the registers, WIDTH how many doubles they hold, FUSED(a, b, c) is a b + c of registers, rounded
   once where there is an instruction for that.

   Nothing but FUSED may round once: compilers that choose which products to fuse (-ffp-contract=fast) choose by what
   stands around, and bits would depend on the registers. */

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __x86_64__
#include <immintrin.h>
#endif
#ifdef __aarch64__
#include <arm_neon.h>
#endif

#define TARGET_AVX2 __attribute__((target("avx2,fma")))
#define TARGET_AVX512 __attribute__((target("avx512f,avx512dq,avx512vl,avx2,fma")))

#define PASTE(x, y) x##_##y
#define JOIN(x, y) PASTE(x, y)

#ifdef __x86_64__
#define OF_WIDTH(function, width)                                                                                      \
    ((width) == 8 ? JOIN(function, avx512) : (width) == 4 ? JOIN(function, avx2) : JOIN(function, any))
#else
#define OF_WIDTH(function, width) JOIN(function, any)
#endif

/* Return how many doubles fit into the largest register that there are loops and a processor for. */
int dglm_widest(void)
{
#ifdef __x86_64__
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
        return 8;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        return 4;
#endif
    return 2;
}
