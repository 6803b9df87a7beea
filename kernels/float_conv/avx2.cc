#define AUXBENCH_FLOAT_CONV_ROWS rows_avx2
#include "kernels/float_conv/body.inc"
