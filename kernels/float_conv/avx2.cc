#define AUXBENCH_FLOAT_CONV_ROWS rows_avx2
#define AUXBENCH_FLOAT_CONV_LANES 4
#define AUXBENCH_FLOAT_CONV_PIXELS 3
#define AUXBENCH_FLOAT_CONV_PANELS 1
#include "kernels/float_conv/body.inc"
