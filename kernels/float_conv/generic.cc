#define AUXBENCH_FLOAT_CONV_ROWS rows_generic
#include "kernels/float_conv/body.inc"
