// common.cl -- text in front of every program.
//
// Kernels are OpenCL C 1.2. Sizes arrive as int, checked on the host; offsets are size_t before they are multiplied.
// Multiply-adds that matter are written fma(): contraction is left to nobody's taste (bit-identical across runtimes).
#pragma OPENCL FP_CONTRACT OFF
#define CEIL_DIV(a, b) (((a) + (b) - 1) / (b))
