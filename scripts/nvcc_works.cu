// Compiled once at configure time: an nvcc that cannot do this (too old for C++20, or for this g++) is left alone.
#include <span>

__global__ void nothing() {}
