#define AUXBENCH_FLOAT_CONV_ROWS rows_avx512
#include "kernels/float_conv/body.inc"
