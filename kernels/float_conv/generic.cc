#define AUXBENCH_FLOAT_CONV_ROWS rows_generic
#define AUXBENCH_FLOAT_CONV_LANES 2
#define AUXBENCH_FLOAT_CONV_PIXELS 1
#define AUXBENCH_FLOAT_CONV_PANELS 1
#include "kernels/float_conv/body.inc"
