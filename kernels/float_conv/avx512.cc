#define AUXBENCH_FLOAT_CONV_ROWS rows_avx512
#define AUXBENCH_FLOAT_CONV_LANES 8
#define AUXBENCH_FLOAT_CONV_PIXELS 6
#define AUXBENCH_FLOAT_CONV_PANELS 2
#include "kernels/float_conv/body.inc"
